// The least memory that a plugin in Node.js can have: it answers getmanifest and nothing else.
let text = '';
process.stdin.setEncoding('utf8').on('data', chunk => {
  text += chunk;
  if (!text.endsWith('\n\n')) return;
  const { id } = JSON.parse(text);
  text = '';
  const result = { options: [], rpcmethods: [], subscriptions: [], hooks: [], dynamic: true };
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
});
