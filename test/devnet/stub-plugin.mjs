// A plugin that says what it is told to, for tests of what the stand-in network makes of it. Its argument is JSON:
// {"manifest": …, "init": …, "hook": …, "method": …} what it answers each with, its id and jsonrpc added unless they
// stand there; "manifestExtra": added to the usual manifest; "says": text that it writes soon after init;
// "exitStatus": what it exits with when its stdin ends, "never" to stay; "holdsHooks": whether hooks wait until
// method "release" lets the oldest go; "hookTwice": whether it answers each twice. It logs init, hook calls and
// notifications at level debug.
const script = JSON.parse(process.argv[2] ?? '{}');

const usualManifest = {
  options: [{ name: 'stub-int', type: 'int', description: 'a number', default: 5, dynamic: true }],
  rpcmethods: [
    { name: 'stub', usage: '[anything]', description: 'answers what it was given' },
    { name: 'release', usage: '', description: 'answers the hook that waits longest' },
  ],
  subscriptions: ['connect', 'disconnect', 'channel_state_changed', 'block_added'],
  hooks: [{ name: 'custommsg', filters: [347] }],
  dynamic: true,
  nonnumericids: true,
  ...script.manifestExtra,
};

const CONTINUE = { result: { result: 'continue' } };
const held = [];
const write = text => process.stdout.write(text);
const send = message => write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
const log = value => send({ method: 'log', params: { level: 'debug', message: JSON.stringify(value) } });

function answer({ id, method, params }) {
  if (id === undefined) {
    log({ notification: method, params });
    return;
  }
  switch (method) {
    case 'getmanifest':
      send({ id, ...(script.manifest ?? { result: usualManifest }) });
      break;
    case 'init':
      log({ init: params });
      send({ id, ...(script.init ?? { result: {} }) });
      if (script.says !== undefined) setTimeout(() => write(script.says), 50);
      break;
    case 'custommsg':
      log({ hook: params });
      if (script.holdsHooks) held.push(id);
      else send({ id, ...(script.hook ?? CONTINUE) });
      if (script.hookTwice) send({ id, ...CONTINUE });
      break;
    case 'setconfig':
      log({ setconfig: params });
      send({ id, result: {} });
      break;
    case 'release':
      send({ id: held.shift(), ...CONTINUE });
      send({ id, result: {} });
      break;
    default:
      // A method that never answers is one with "method": null.
      if (script.method !== null) send({ id, ...(script.method ?? { result: { params } }) });
  }
}

let pending = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', chunk => {
  const messages = (pending + chunk).split('\n\n');
  pending = messages.pop() ?? '';
  for (const message of messages) answer(JSON.parse(message));
});
process.stdin.on('end', () => {
  if (script.exitStatus === 'never') setInterval(() => {}, 60_000);
  else process.exit(script.exitStatus ?? 0);
});
