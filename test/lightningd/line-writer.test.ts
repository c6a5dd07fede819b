import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { LineWriter } from '../../src/lightningd/line-writer.ts';

/** A stream that takes what it is given, but is full from the first byte on until it is told that all is read. */
function reader(highWaterMark: number) {
  const writes: string[] = [];
  let drain = () => {};
  const stream = new Writable({
    highWaterMark,
    write(chunk: Buffer, _encoding, done) {
      writes.push(chunk.toString());
      drain = done;
    },
  });
  const clogs: boolean[] = [];
  return {
    writes,
    clogs,
    writer: new LineWriter(stream, clogged => clogs.push(clogged)),
    drain: () => drain(),
  };
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

test('the lines of one turn go out together, in order, each with its end', async () => {
  const { writes, writer } = reader(1000);
  writer.write('one');
  writer.write('two');
  assert.deepEqual(writes, []);
  await turn();
  assert.deepEqual(writes, ['one\ntwo\n']);
  assert.equal(writer.backlog, 0);
});

test('flush does not wait for the turn to end, and nothing is written twice', async () => {
  const { writes, writer } = reader(1000);
  writer.write('one');
  writer.flush();
  writer.flush();
  assert.deepEqual(writes, ['one\n']);
  await turn();
  assert.deepEqual(writes, ['one\n']);
});

test('a full stream keeps later lines waiting, says so once, and gets them all when it takes more', async () => {
  const { writes, clogs, writer, drain } = reader(1);
  writer.write('one');
  await turn();
  assert.deepEqual(clogs, [true]);
  writer.write('two');
  writer.flush();
  writer.write('three');
  await turn();
  assert.deepEqual([writes, writer.backlog], [['one\n'], 2]);
  drain();
  await turn();
  assert.deepEqual(writes, ['one\n', 'two\nthree\n']);
  drain();
  await turn();
  assert.deepEqual([clogs, writer.backlog], [[true, false, true, false], 0]);
});
