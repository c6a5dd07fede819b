// Starts a plugin of this folder: its bundle under dist/ when that is at least as new as every source, or there are no
// sources, else the sources themselves through tsx. Reached from the shell line of balancesharing.ts and jitrouting.ts with that
// file's path in process.argv[1].
//
// Hazard: whatever Node is on the operator's PATH runs this, so it is written in the JavaScript of 2009 and looks at
// the version before it loads anything newer; and a bundle that is older than the sources must not win.
'use strict';

var fs = require('fs');
var path = require('path');

var OLDEST_NODE = 20;
/** Folders of src/ that no plugin is made of: a look at each of their files would cost every start some milliseconds. */
var NOT_OURS = ['simulation', 'devnet'];

function newestChange(file) {
  var stat = fs.statSync(file, { throwIfNoEntry: false });
  // A link to nothing, as editors make them, or a file that is just being replaced.
  if (stat === undefined) return 0;
  var newest = stat.mtimeMs;
  // A folder's own time tells of files that were removed.
  if (stat.isDirectory()) {
    fs.readdirSync(file).forEach(function (name) {
      if (NOT_OURS.indexOf(name) >= 0) return;
      newest = Math.max(newest, newestChange(path.join(file, name)));
    });
  }
  return newest;
}

function fail(message) {
  process.stderr.write(path.basename(process.argv[1], '.ts') + ': ' + message + '\n');
  process.exit(1);
}

function isMissing(error) {
  return error !== null && typeof error === 'object' && error.code === 'MODULE_NOT_FOUND';
}

function start() {
  var entry = fs.realpathSync(process.argv[1]);
  var folder = path.dirname(entry);
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
    fail('needs Node.js ' + OLDEST_NODE + ' or newer, this is ' + process.version);
  }
  var bundle = path.join(folder, 'dist', path.basename(entry, '.ts') + '.cjs');
  if (fs.existsSync(bundle)) {
    var builtAt = fs.statSync(bundle).mtimeMs;
    var sources = [entry, path.join(folder, 'package.json'), path.join(folder, 'src')];
    // A package from npm has no sources, and its files have the times at which they were unpacked, in any order.
    var isPackage = !fs.existsSync(path.join(folder, 'src', 'lightningd'));
    if (
      isPackage ||
      sources.every(function (source) {
        return newestChange(source) <= builtAt;
      })
    ) {
      require(bundle);
      return;
    }
  }
  var tsx;
  try {
    tsx = require('tsx/cjs/api');
  } catch (error) {
    if (!isMissing(error)) throw error;
    fail('its packages are missing: run "npm ci" in ' + folder);
  }
  tsx.require(entry, __filename);
}

start();
