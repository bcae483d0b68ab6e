/** What both processes of the bench agree on. */
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { loadKey } from '../../src/governance/ledger/index.ts';
import { createSeal } from '../../src/work/orchestrator/index.ts';
import type { Ground } from './ground.ts';

export const bareOptions = { prefix: '{bare}', skipVersionCheck: true };

export const connectTo = (port: number): Redis =>
  new Redis({ port, maxRetriesPerRequest: null, protocol: 2, disableClientInfo: true });

export const keyFile = (dir: string): string => join(dir, 'key');

export const keyOf = ({ dir }: Pick<Ground, 'dir'>) => loadKey(keyFile(dir));

export function sealOf(ground: Ground, purpose: 'job' | 'result') {
  const key = keyOf(ground);
  return createSeal({ ...key, sign: async (text) => key.sign(text) }, purpose);
}
