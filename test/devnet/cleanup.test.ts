import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { outcomeOf, signalGroup, Trace } from './leftovers.ts';

const INTERRUPTED = fileURLToPath(new URL('interrupted.ts', import.meta.url));

describe('a process with a network leaves nothing behind', { concurrency: 3 }, () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const) {
    test(`when ended by ${signal}`, async () => {
      using trace = new Trace();
      const child = trace.spawn([INTERRUPTED]);
      const outcome = outcomeOf(child);
      if (child.stdout) await once(child.stdout, 'data');
      assert.notDeepEqual(await trace.leftovers(0), []);
      signalGroup(child, signal);
      const { how, stdout, stderr } = await outcome;
      assert.deepEqual([how, stdout, stderr], [signal, 'ready\n', '']);
      assert.deepEqual(await trace.leftovers(), []);
    });
  }

  test('when it throws', async () => {
    using trace = new Trace();
    const { how, stderr } = await outcomeOf(trace.spawn([INTERRUPTED, 'throws']));
    assert.equal(how, 1);
    assert.match(stderr, /on purpose/);
    assert.deepEqual(await trace.leftovers(), []);
  });

  test('when it exits', async () => {
    using trace = new Trace();
    assert.equal((await outcomeOf(trace.spawn([INTERRUPTED, 'exits']))).how, 5);
    assert.deepEqual(await trace.leftovers(), []);
  });
});
