/** A stage’s outcome is not waited for: what is planned upon it must fall with it. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { governed } from '../../../../test/support/governed.ts';
import { mortal, type Perform, partsOf } from '../../../../test/support/pipeline/world.ts';
import { fileArtifacts } from '../../../governance/evidence/index.ts';
import { idSource } from '../../../kernel/index.ts';
import { type Pipeline, pipelineSchema } from '../../../schemas/index.ts';
import { drive, resumeRun, startRun } from '../index.ts';

const by = { operator: 'ada', user: 'ada' };
const never = new AbortController().signal;
const pipeline = pipelineSchema.parse({
  ...{ apiVersion: 'agov/v1', kind: 'Pipeline', name: 'two' },
  stages: { a: { agent: 'builder', run: ['work', 'a'] }, b: { agent: 'builder', run: ['work', 'b'], needs: ['a'] } },
}) as Pipeline; // no stage of it uses a template

it('ends nothing and begins nothing on an outcome that somebody else has given, and goes on from that one', async () => {
  await using base = await governed({ agents: { builder: 'T1' } });
  const { ledger, env } = base;
  const artifacts = fileArtifacts(join(base.dir, 'artifacts'), idSource(env));
  const did: string[] = [];
  const driven = (perform: Perform) =>
    drive(partsOf(base, mortal(ledger, undefined), artifacts, perform).parts, pipeline, run, {
      stop: never,
      quit: never,
    });
  const steps = () => ledger.query({ kinds: ['stage'], run }).map(({ body }) => `${body['stage']} ${body['step']}`);

  const made = { ledger, artifacts, ids: idSource(env) };
  const run = await startRun(made, pipeline, { text: 'two', file: 'p.yaml', params: {} }, by);
  const closed = driven(async (attempt) => {
    did.push(attempt);
    const [intent] = ledger.query({ kinds: ['intent'], parent: attempt });
    const outcome = { status: 'failed', reason: 'It was killed.', facts: {} } as const;
    await base.governor.end({ ...base.channel('builder'), run }, intent?.id ?? '', outcome);
    return 'ok';
  });
  await expect(closed).rejects.toMatchObject({ code: 'LEDGER_CLAIMED' });
  expect(steps()).toEqual(['a started']);
  expect(did).toHaveLength(1);

  await ledger.append({ kind: 'run', run, body: { step: 'waiting', approvals: [] } });
  await resumeRun(ledger, run, by);
  const state = await driven(() => Promise.reject(new Error('nothing is done again')));
  expect(state.status).toBe('failed');
  expect(state.stages.get('a')).toMatchObject({ status: 'failed' });
  expect(did).toHaveLength(1);
});
