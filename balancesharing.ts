#!/bin/sh
//bin/sh -c :; command -v node >/dev/null || { echo 'balancesharing: Node.js 20 or newer must be on PATH' >&2; exit 1; }; exec node --heap-growing-percent=30 -e 'require(require("path").join(require("fs").realpathSync(process.argv[1]), "..", "src", "start.cjs"))' -- "$0" "$@"

// What lightningd runs. The two lines above are a shell script that TypeScript reads as comments: they find the real
// folder of this file, whatever link was used, and hand over to src/start.cjs, which starts the rest of it. Without the
// option V8 lets garbage grow to several times of what is alive; with it circles on a large node take a quarter longer.

import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { FOAFBALANCE_USAGE, foafbalance, parseFoafbalance } from './src/lightningd/foafbalance.ts';
import { FOAFCIRCLES_USAGE, foafcircles, parseFoafcircles } from './src/lightningd/foafcircles.ts';
import { FOAFDECODE_USAGE, foafdecode } from './src/lightningd/foafdecode.ts';
import { FOAFGRAPH_USAGE, foafgraph, parseFoafgraph } from './src/lightningd/foafgraph.ts';
import { FOAFREBALANCE_USAGE, foafrebalance, parseFoafrebalance } from './src/lightningd/foafrebalance.ts';
import { FOAFSTATUS_USAGE, foafstatus, parseFoafstatus } from './src/lightningd/foafstatus.ts';
import { registerOptions } from './src/lightningd/options.ts';
import { Plugin } from './src/lightningd/plugin.ts';
import { hostSharing, NOTIFICATIONS } from './src/lightningd/sharing-host.ts';
import { FOAF_MESSAGE_TYPE } from './src/wire/codec.ts';

const plugin = new Plugin({ customNotifications: NOTIFICATIONS });
const options = registerOptions(plugin);
const folder = dirname(realpathSync(process.argv[1] ?? '.'));
const sharing = hostSharing(plugin, options, folder);

plugin.addMethod(
  'foafbalance',
  params => foafbalance(sharing().asker, params, options.timeout.value),
  FOAFBALANCE_USAGE,
  'Asks friends on which of their channels they would willingly forward an amount',
  'Asks connected peers, waits for all of them or for the timeout, and answers who offers which channels.',
  { check: parseFoafbalance },
);
plugin.addMethod(
  'foafcircles',
  params =>
    foafcircles(sharing().finder, params, options.circleSettings(), id =>
      sharing().status.silentPeers.hasSpoken(id),
    ),
  FOAFCIRCLES_USAGE,
  'Lists circular routes that would rebalance by an amount, best first',
  'Circles of three and four hops over friends and their friends, by what is known of each hop, with their exact fees.',
  { check: parseFoafcircles },
);
plugin.addMethod(
  'foafrebalance',
  (params, { progress }) => foafrebalance(sharing(), params, options.circleSettings(), progress),
  FOAFREBALANCE_USAGE,
  'Moves an amount between our own channels around a circle',
  'With nothing given it moves what helps the node most; dryrun=true answers what it would do.',
  { check: parseFoafrebalance },
);
plugin.addMethod(
  'foafdecode',
  foafdecode,
  FOAFDECODE_USAGE,
  'Says in words what a message of type 347 holds',
  'Takes the message in hexadecimal, its two-byte type included, as lightningd logs it.',
  { check: foafdecode },
);
plugin.addMethod(
  'foafstatus',
  params => foafstatus(sharing().status, params),
  FOAFSTATUS_USAGE,
  'Shows who speaks, what is known and how old, what came and went, and what is set',
  'Lists the friends, or the one that is named, and sums up the rest.',
  { check: parseFoafstatus },
);
plugin.addMethod(
  'foafgraph',
  params => foafgraph(sharing().painter, params),
  FOAFGRAPH_USAGE,
  'Draws our channels, what friends offer and the circles found, as an HTML file',
  "Writes into the folder foaf beside lightningd's RPC socket and answers the file's path; the page loads nothing.",
  { check: parseFoafgraph },
);
plugin.addHook('custommsg', params => sharing().receive(params), { filters: [FOAF_MESSAGE_TYPE] });
plugin.start();
