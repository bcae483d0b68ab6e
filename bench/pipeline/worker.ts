/**
 * A worker in a process of its own, as it is in use: `node worker.ts '{"kind": …, "port": …, …}'`. Says `{"dir": …}` once it
 * takes jobs, and ends with its standard input.
 */
import { once } from 'node:events';
import { Worker } from 'bullmq';
import { z } from 'zod';
import { openBullmq } from '../../src/adapters/queue/bullmq/index.ts';
import { ledgerApprovals } from '../../src/governance/approvals/index.ts';
import { loadKey } from '../../src/governance/ledger/index.ts';
import { workspaceOf } from '../../src/work/agents/index.ts';
import { createOpener, jobFormat, nameOf, startWorker } from '../../src/work/orchestrator/index.ts';
import type { Perform } from '../../src/work/pipeline/index.ts';
import { bareOptions, connectTo, keyOf, sealOf } from './bullmq-parts.ts';
import { atOnce, type Ground, openGround } from './ground.ts';

const asked = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('bare'), port: z.int(), name: z.string() }),
    z.strictObject({ kind: z.enum(['engine', 'governed']), port: z.int(), tag: z.string(), trusted: z.string() }),
  ])
  .parse(JSON.parse(process.argv[2] ?? ''));

if (asked.kind === 'bare') await bare(asked.port, asked.name);
else await governed(asked);

async function bare(port: number, name: string): Promise<void> {
  const connection = connectTo(port);
  const worker = new Worker(name, async () => undefined, { ...bareOptions, connection, concurrency: atOnce });
  await worker.waitUntilReady();
  await untilEnd({});
  await worker.close();
  connection.disconnect();
}

async function governed({ kind, port, tag, trusted }: Exclude<typeof asked, { kind: 'bare' }>): Promise<void> {
  await using ground = await openGround();
  const { env, ids, ledger, artifacts, workspace } = ground;
  await using queue = openBullmq({ url: `redis://127.0.0.1:${port}`, env, tag, format: jobFormat });
  const { policyVersion } = ground.governor;
  const worker = await startWorker({
    ...{ env, ids, ledger, artifacts, policyVersion, queue, leaseMs: 10_000 },
    perform: kind === 'engine' ? nothing(ground) : ground.perform,
    approvals: ledgerApprovals(ledger, env, 60_000),
    keep: { artifacts, hidden: [], workspace: async (folder) => workspaceOf(workspace, folder, []) },
    worker: { name: 'bench', host: 'bench', key: nameOf(keyOf(ground)) },
    ...{ store: 'away', mostBytes: 0, seal: sealOf(ground, 'result'), open: createOpener([loadKey(trusted)], 'job') },
    ...{ mayLive: () => true, onEvent: () => undefined, onOrder: () => undefined },
    record: {
      ...{ name: 'bench', host: 'bench', boot: '', pid: 1, started: '', version: '', format: jobFormat, key: '' },
      ...{ concurrency: atOnce, since: 0 },
    },
  });
  await untilEnd({ dir: ground.dir });
  worker.drain();
  await worker.ended;
}

async function untilEnd(ready: object): Promise<void> {
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  process.stdin.resume();
  await once(process.stdin, 'end');
}

/** Once the claim is on disk. */
function nothing({ governor }: Ground): Perform {
  return async ({ begun }) => {
    await begun.recorded;
    return {
      ...{ verdict: 'allow', id: begun.id, value: undefined },
      decision: { verdict: 'allow', policies: [], reasons: [], policyVersion: governor.policyVersion },
      outcome: { status: 'ok', facts: {} },
    };
  };
}
