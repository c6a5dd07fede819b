#!/bin/sh
//bin/sh -c :; command -v node >/dev/null || { echo 'balancesharing: Node.js 20 or newer must be on PATH' >&2; exit 1; }; exec node -e 'require(require("path").join(require("fs").realpathSync(process.argv[1]), "..", "src", "start.cjs"))' -- "$0" "$@"

// What lightningd runs. The two lines above are a shell script that TypeScript reads as comments: they find the real
// folder of this file, whatever link was used, and hand over to src/start.cjs, which starts the rest of it.

import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { addCommand } from './src/lightningd/command-schema.ts';
import { FOAFBALANCE, foafbalance, parseFoafbalance } from './src/lightningd/foafbalance.ts';
import { FOAFCIRCLES, foafcircles, parseFoafcircles } from './src/lightningd/foafcircles.ts';
import { FOAFDECODE, foafdecode } from './src/lightningd/foafdecode.ts';
import { FOAFGRAPH, foafgraph, parseFoafgraph } from './src/lightningd/foafgraph.ts';
import { FOAFREBALANCE, foafrebalance, parseFoafrebalance } from './src/lightningd/foafrebalance.ts';
import { FOAFSTATUS, foafstatus, parseFoafstatus } from './src/lightningd/foafstatus.ts';
import { registerOptions } from './src/lightningd/options.ts';
import { Plugin } from './src/lightningd/plugin.ts';
import { hostSharing, NOTIFICATIONS } from './src/lightningd/sharing-host.ts';
import { FOAF_MESSAGE_TYPE } from './src/wire/codec.ts';

const plugin = new Plugin({ customNotifications: NOTIFICATIONS });
const options = registerOptions(plugin);
const folder = dirname(realpathSync(process.argv[1] ?? '.'));
const sharing = hostSharing(plugin, options, folder);

addCommand(
  plugin,
  FOAFBALANCE,
  params => foafbalance(sharing().asker, params, options.timeout.value),
  parseFoafbalance,
);
addCommand(
  plugin,
  FOAFCIRCLES,
  params =>
    foafcircles(sharing().finder, params, options.circleSettings(), id =>
      sharing().status.silentPeers.hasSpoken(id),
    ),
  parseFoafcircles,
);
addCommand(
  plugin,
  FOAFREBALANCE,
  (params, { progress }) => foafrebalance(sharing(), params, options.circleSettings(), progress),
  parseFoafrebalance,
);
addCommand(plugin, FOAFDECODE, foafdecode, foafdecode);
addCommand(plugin, FOAFSTATUS, params => foafstatus(sharing().status, params), parseFoafstatus);
addCommand(plugin, FOAFGRAPH, params => foafgraph(sharing().painter, params), parseFoafgraph);
plugin.addHook('custommsg', params => sharing().receive(params), { filters: [FOAF_MESSAGE_TYPE] });
plugin.start();
