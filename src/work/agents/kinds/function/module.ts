/** Which module a function agent is: one beside its definition, or one that comes with agov; and what it is given. */
import { readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import type { Sandbox } from '../../../../adapters/sandbox/port.ts';
import { AgovError, canonicalJson, type JsonObject, packageFile } from '../../../../kernel/index.ts';
import { type Shipped, shippedAs } from '../../shipped/index.ts';
import { definitionFolder, readBeside } from '../place.ts';
import type { AgentJob, Definition } from '../types.ts';

export interface FunctionModule {
  /** Where its sandbox has it. */
  readonly file: string;
  readonly source: string;
  /** What it must see besides the workspace. */
  readonly readOnly: readonly string[];
}

const isSource = extname(import.meta.url) === '.ts';

/** In the form that this file has: source, or part of the bundle. */
export const runner = isSource ? 'function.ts' : 'function.mjs';

/** @throws NOT_FOUND, INPUT_INVALID */
export function moduleOf(
  { value, file: definition }: Definition,
  { library }: Pick<Sandbox, 'library'>,
  root: string,
): FunctionModule {
  const { function: reference = '' } = value.runs;
  const shipped = shippedAs(reference);
  if (shipped) return shippedModule(shipped, library);
  const file = join(dirname(definition), reference);
  // Where the workspace is another folder, the module and what it imports are not in it.
  const readOnly = [join(root, definitionFolder), join(root, 'node_modules')];
  return { file, source: readBeside(root, file), readOnly };
}

/** Bundled it lies in the agent library, which every sandbox has; as source, in `src/`. */
function shippedModule({ name }: Shipped, library: string): FunctionModule {
  if (!isSource) {
    const file = `${name}.mjs`;
    return { file: join(library, file), source: textOf(packageFile(`dist/agent/${file}`)), readOnly: [] };
  }
  const file = packageFile(`src/work/agents/shipped/${name}/index.ts`);
  return { file, source: textOf(file), readOnly: [packageFile('src')] };
}

function textOf(file: string): string {
  return readFileSync(file, 'utf8');
}

/**
 * The input of the task, with what the definition has fixed, and as the shipped agent reads it.
 * @throws INPUT_INVALID where the task says otherwise than the definition, or what the agent does not take
 */
export function inputFor({ value }: Definition, input: AgentJob['input'] = {}): JsonObject {
  const { parameters = {}, runs } = value;
  for (const key of Object.keys(parameters)) {
    if (!Object.hasOwn(input, key) || canonicalJson(input[key] ?? null) === canonicalJson(parameters[key] ?? null))
      continue;
    throw new AgovError('INPUT_INVALID', {
      what: `The task gives another "${key}" than the definition of "${value.name}" has fixed.`,
      fix: `Leave it out of the task, or change it under "parameters" in ${definitionFolder}/${value.name}.yaml.`,
    });
  }
  const all = { ...input, ...parameters };
  const shipped = shippedAs(runs.function ?? '');
  if (!shipped) return all;
  const parsed = shipped.input.safeParse(all);
  if (parsed.success) return parsed.data as JsonObject; // every shape there is one of JSON
  const shown = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  throw new AgovError('INPUT_INVALID', {
    what: `The agent "${value.name}" (agov:${shipped.name}) does not take this input.`,
    why: shown.join('; ').slice(0, 1000),
    fix: `It takes ${Object.keys(shipped.input.shape).join(', ')}: see the guide to shipped agents.`,
  });
}
