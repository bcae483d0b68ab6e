/** The declared outputs of a unit that ended well: expressions over its standard output and the facts of its outcome. */
import type { Artifacts } from '../../../governance/evidence/index.ts';
import { AgovError, type JsonObject } from '../../../kernel/index.ts';
import type { ArtifactRef, Pipeline } from '../../../schemas/index.ts';
import type { RunState, Unit } from '../journal/index.ts';
import { outputsOf, specOf } from '../language/index.ts';

const maxStdout = 1024 * 1024;
/** They are part of an entry, and every later stage may be handed them. */
const maxOutputs = 16 * 1024;

export interface Effect {
  readonly artifacts: readonly ArtifactRef[];
  readonly facts: JsonObject;
}

/** @throws AgovError INPUT_INVALID where an expression fails, or where they are too large */
export async function readOutputs(
  artifacts: Artifacts,
  pipeline: Pipeline,
  state: RunState,
  unit: Unit,
  { artifacts: kept, facts }: Effect,
): Promise<JsonObject> {
  if (Object.keys(specOf(pipeline, unit).outputs).length === 0) return {};
  const stdout = kept.find(({ name }) => name === 'stdout');
  if (stdout && stdout.size > maxStdout)
    throw tooLarge(`Stage "${unit.stage}" printed ${stdout.size} bytes`, maxStdout);
  const text = stdout ? (await artifacts.get(stdout.sha256)).toString('utf8') : '';
  const outputs = outputsOf(pipeline, state, unit, { stdout: text, facts });
  const size = Buffer.byteLength(JSON.stringify(outputs));
  if (size > maxOutputs) throw tooLarge(`The outputs of stage "${unit.stage}" have ${size} bytes`, maxOutputs);
  return outputs;
}

function tooLarge(what: string, most: number): AgovError {
  return new AgovError('INPUT_INVALID', {
    what: `${what}; outputs take ${most} at most.`,
    fix: 'Keep large things as artifacts, and hand on their names.',
  });
}
