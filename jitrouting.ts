#!/bin/sh
//bin/sh -c :; command -v node >/dev/null || { echo 'jitrouting: Node.js 20 or newer must be on PATH' >&2; exit 1; }; exec node -e 'require(require("path").join(require("fs").realpathSync(process.argv[1]), "..", "src", "start.cjs"))' -- "$0" "$@"

// A second, optional plugin: just-in-time routing, in a process of its own. The two lines above are those of
// balancesharing.ts, whose commands it uses.

import { addCommand } from './src/lightningd/command-schema.ts';
import { FOAFJIT, foafjit } from './src/lightningd/foafjit.ts';
import { hostJit } from './src/lightningd/jit-host.ts';
import { registerJitOptions } from './src/lightningd/jit-options.ts';
import { Plugin } from './src/lightningd/plugin.ts';

const plugin = new Plugin();
const options = registerJitOptions(plugin);
const sources = hostJit(plugin, options, process.argv[1] ?? '.');

addCommand(plugin, FOAFJIT, params => foafjit(sources(), params));
plugin.start();
