/** Pipelines of every construct, with a script of what each unit does: made by fast-check, so that they shrink. */
import fc from 'fast-check';
import type { Pipeline } from '../../../src/schemas/index.ts';
import { pipelineSchema } from '../../../src/schemas/index.ts';

/** `fail`: each time. `flaky`: once, and then never again. */
export type Conduct = 'ok' | 'fail' | 'flaky' | 'denied';

export interface Scripted {
  readonly pipeline: Pipeline;
  /** By stage. */
  readonly conduct: ReadonlyMap<string, Conduct>;
}

interface Drawn {
  readonly needs: readonly number[];
  readonly shape: 'plain' | 'foreach' | 'matrix' | 'over';
  readonly when: 'none' | 'true' | 'false' | 'output';
  readonly conduct: Conduct;
  readonly compensate: boolean;
  readonly gate: 'none' | 'approval' | 'people' | 'evidence' | 'event';
  readonly locks: readonly string[];
}

const drawn = (failing: boolean): fc.Arbitrary<Drawn> =>
  fc.record({
    needs: fc.array(fc.nat(), { maxLength: 3 }),
    shape: fc.oneof(
      { weight: 6, arbitrary: fc.constant('plain' as const) },
      { weight: 1, arbitrary: fc.constantFrom('foreach' as const, 'matrix' as const, 'over' as const) },
    ),
    when: fc.oneof(
      { weight: 6, arbitrary: fc.constant('none' as const) },
      { weight: 1, arbitrary: fc.constantFrom('true' as const, 'false' as const, 'output' as const) },
    ),
    conduct: fc.oneof(
      { weight: 60, arbitrary: fc.constant('ok' as const) },
      { weight: 6, arbitrary: fc.constant('flaky' as const) },
      { weight: failing ? 1 : 0, arbitrary: fc.constantFrom('fail' as const, 'denied' as const) },
    ),
    compensate: fc.boolean(),
    gate: fc.oneof(
      { weight: 16, arbitrary: fc.constant('none' as const) },
      {
        weight: 4,
        arbitrary: fc.constantFrom('approval' as const, 'people' as const, 'evidence' as const, 'event' as const),
      },
    ),
    locks: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 2, arbitrary: fc.subarray(['x', 'y', 'z'], { minLength: 1 }) },
    ),
  });

/** At least `stages` of them, with final ones besides. */
export function scripted(stages: number): fc.Arbitrary<Scripted & { readonly failing: boolean }> {
  return fc
    .record({ failing: fc.boolean(), parallel: fc.constantFrom(1, 1, 3, 8), finals: fc.nat({ max: 3 }) })
    .chain(({ failing, parallel, finals }) =>
      fc
        .tuple(
          fc.array(drawn(failing), { minLength: stages, maxLength: stages }),
          fc.array(drawn(failing), { minLength: finals, maxLength: finals }),
        )
        .map(([forward, final]) => ({ ...build(forward, final, failing ? 1 : parallel), failing })),
    );
}

/** Evidence is of a stage that always runs: one that is missing would be one more way to fail. */
function gateOf(gate: Drawn['gate'], name: string, always: string | undefined): object {
  const evidence = always === undefined ? [] : [{ stage: always, artifact: 'log', holds: 'size(outputs.items) == 1' }];
  const gates = {
    none: undefined,
    approval: 'approval',
    people: { approval: { quorum: 2, roles: ['release'], reason: 'Well?' } },
    evidence: evidence.length > 0 ? { evidence } : undefined,
    event: { event: { name: `go-${name}`, where: 'event.data == "now"' } },
  };
  return gates[gate] === undefined ? {} : { gate: gates[gate] };
}

function build(forward: readonly Drawn[], final: readonly Drawn[], parallel: number): Scripted {
  const conduct = new Map<string, Conduct>();
  const steady = new Set<string>();
  const stage = (one: Drawn, i: number, prefix: string): [string, object] => {
    const name = `${prefix}-${i}`;
    conduct.set(name, one.conduct);
    const needs = i === 0 ? [] : [...new Set(one.needs.map((n) => `${prefix}-${n % i}`))];
    const [need] = needs;
    const always = needs.find((other) => steady.has(other));
    if (one.shape === 'plain' && (one.when === 'none' || one.when === 'true') && one.conduct !== 'denied')
      steady.add(name);
    const read = need === undefined ? undefined : `stages.${need.replaceAll('-', '_')}`;
    const when = {
      none: undefined,
      true: 'params.yes',
      false: '!params.yes',
      output: read && `${read}.status == "ok"`,
    }[one.when];
    const many = {
      plain: {},
      foreach: { foreach: '[1, 2, 3]', parallel: 2 },
      matrix: { matrix: { a: ['x', 'y'], b: [true] } },
      // Over what another stage put out, where it is a list: the number of items is known at the run alone.
      over: read ? { foreach: `has(${read}.outputs.items) ? ${read}.outputs.items : []` } : {},
    }[one.shape];
    const hole = one.shape === 'foreach' ? '${{ each.index }}' : one.shape === 'matrix' ? '${{ matrix.a }}' : '-';
    return [
      name,
      {
        agent: 'builder',
        needs,
        run: [one.conduct === 'denied' ? 'denied' : 'work', name, hole],
        outputs: { items: '[string(size(result.stdout))]' },
        ...many,
        ...(when === undefined ? {} : { when }),
        ...(one.conduct === 'flaky' ? { retry: { attempts: 3, backoff: '0ms' } } : {}),
        ...(one.compensate ? { compensate: { run: ['undo', name, '${{ own.outputs.items[0] }}'] } } : {}),
        ...(one.locks.length > 0 ? { locks: one.locks } : {}),
        // What a later stage may ask for.
        artifacts: { log: 'stdout' },
        ...gateOf(one.gate, name, always),
      },
    ];
  };
  const pipeline = pipelineSchema.parse({
    apiVersion: 'agov/v1',
    kind: 'Pipeline',
    name: 'generated',
    parallel,
    parameters: { yes: { type: 'bool', default: true } },
    stages: Object.fromEntries(forward.map((one, i) => stage(one, i, 's'))),
    finally: Object.fromEntries(final.map((one, i) => stage({ ...one, compensate: false }, i, 'f'))),
  }) as Pipeline; // no stage of it uses a template
  return { pipeline, conduct };
}
