// What a hook costs any plugin in Node.js: split, JSON.parse, one answer. It looks at nothing that is in the message.
// Each answer is written by itself or, with the argument `gather`, together with those of the same read.
import { Splitter } from './splitter.mjs';

const splitter = new Splitter();
const gather = process.argv[2] === 'gather';

process.stdin.on('data', chunk => {
  let text = '';
  for (const { id, method } of splitter.push(chunk)) {
    const result = method === 'custommsg' ? { result: 'continue' } : {};
    text += `${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`;
    if (gather) continue;
    process.stdout.write(text);
    text = '';
  }
  if (text !== '') process.stdout.write(text);
});
