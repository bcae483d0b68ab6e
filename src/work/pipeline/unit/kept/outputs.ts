/** The declared outputs of a unit that ended well: expressions over its standard output and the facts of its outcome. */
import type { Artifacts } from '../../../../governance/evidence/index.ts';
import { AgovError, type Json, type JsonObject } from '../../../../kernel/index.ts';
import type { ArtifactRef, Pipeline } from '../../../../schemas/index.ts';
import type { RunState, Unit } from '../../journal/index.ts';
import { outputsOf, specOf } from '../../language/index.ts';

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
  const textOf = async (wanted: string): Promise<string> => {
    const one = kept.find(({ name }) => name === wanted);
    if (one && one.size > maxStdout)
      throw tooLarge(`The ${wanted} of stage "${unit.stage}" has ${one.size} bytes`, maxStdout);
    return one ? (await artifacts.get(one.sha256)).toString('utf8') : '';
  };
  const stdout = await textOf('stdout');
  const handedIn = await textOf('output');
  const result = {
    ...{ stdout, facts },
    // Most outputs do not read it, and to parse a megabyte for nothing takes its time.
    get output() {
      return jsonIn(handedIn || stdout);
    },
  };
  const outputs = outputsOf(pipeline, state, unit, result);
  const size = Buffer.byteLength(JSON.stringify(outputs));
  if (size > maxOutputs) throw tooLarge(`The outputs of stage "${unit.stage}" have ${size} bytes`, maxOutputs);
  return outputs;
}

/** What an agent handed in, or what a command printed where that is JSON; null otherwise. */
function jsonIn(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null; // a text, which is read as `result.stdout`
  }
}

function tooLarge(what: string, most: number): AgovError {
  return new AgovError('INPUT_INVALID', {
    what: `${what}; outputs take ${most} at most.`,
    fix: 'Keep large things as artifacts, and hand on their names.',
  });
}
