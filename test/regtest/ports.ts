/** Ports on loopback that nobody uses. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Below the range from which systems choose ports for outgoing connections: bitcoin-cli makes dozens of those every
 * second, and one could take a port between our look and the daemon's.
 */
const LOWEST = 12_000;
const HIGHEST = 32_000;

async function tryPort(port: number): Promise<Server | undefined> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return server;
  } catch {
    return undefined;
  }
}

/**
 * Finds ports on 127.0.0.1 that are free just now.
 *
 * @throws Error if the machine seems to have none.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = new Map<number, Server>();
  // Each stays taken until all are found, so that none is found twice.
  for (let attempts = 0; servers.size < count && attempts < 100 + count; attempts++) {
    const port = randomInt(LOWEST, HIGHEST);
    const server = await tryPort(port);
    if (server) servers.set(port, server);
  }
  const ports = [...servers.keys()];
  await Promise.all([...servers.values()].map(server => once(server.close(), 'close')));
  if (ports.length < count) throw new Error('no free ports on 127.0.0.1');
  return ports;
}
