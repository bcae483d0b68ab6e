/** The change itself: a patch, commands, then tests; and where a model may be asked, another patch when they are red. */
import type { Agent } from '../../../../agent-client/index.ts';
import { redactText } from '../../../../governance/redaction/index.ts';
import { Failed, type Ran, type RunOptions, run, runAll, use } from '../frame/acts.ts';
import { advise, asJson, type Given } from '../frame/advice.ts';
import { readText } from '../frame/files.ts';
import type { ExecutorInput } from '../inputs.ts';
import { changeIn } from './tested.ts';

export interface Made {
  /** Of the files that it changes. */
  readonly paths: readonly string[];
  readonly commands: readonly Ran[];
  readonly tests: readonly Ran[];
  readonly proposed: number;
}

/** Its name is of agov's, so that no project has a file of it. */
const patchName = '.agov-change.patch';
const mostPatch = 500_000;

/** @throws Failed with the results of commands and tests */
export async function makeChange(agent: Agent, given: Given<ExecutorInput>, within: string): Promise<Made> {
  const { input, signal } = given;
  const options = { within, minutes: input.minutes, signal, clean: redactText };
  let patch = givenPatch(input);
  let proposed = 0;
  if (patch === undefined && input.commands.length === 0) {
    patch = await proposal(agent, given, within, undefined);
    proposed = 1;
  }
  for (;;) {
    const refused = patch === undefined ? undefined : await apply(agent, patch, options);
    const commands = refused ? [refused] : await runAll(agent, input.commands, { ...options, isolated: false });
    const isMade = commands.every(({ passed }) => passed);
    const change = isMade ? await changeIn(within) : undefined;
    const tests = isMade ? await runAll(agent, input.tests, { ...options, isolated: true }) : [];
    const red = [...commands, ...tests].find(({ passed }) => !passed);
    const report = asJson({ commands, tests, proposed });
    if (change?.paths.length === 0) throw new Failed('Nothing was changed.', report);
    if (change && !red) {
      // What is committed is what was tested, and not what a test has made of it.
      const altered = (await changeIn(within, change.paths)).digest !== change.digest;
      if (altered) throw new Failed('The tests have changed the files that they test: nothing was committed.', report);
      return { paths: change.paths, commands, tests, proposed };
    }
    if (!red) throw new Failed('The change could not be looked at.', report);
    const why = `${red.argv.join(' ').slice(0, 200)} ended with ${red.exitCode}: nothing was committed.`;
    if (!given.model || proposed >= input.attempts) throw new Failed(why, report);
    proposed += 1;
    patch = await proposal(agent, given, within, { before: refused ? undefined : patch, red }).catch(
      (error: unknown) => {
        throw new Failed(`${why} ${error instanceof Error ? error.message : String(error)}`, report);
      },
    );
  }
}

/** @throws where the file that was named is none */
function givenPatch({ patch, patchFile }: ExecutorInput): string | undefined {
  if (patchFile === undefined) return patch;
  const text = readText(patchFile, mostPatch);
  if (text !== undefined) return text;
  throw new Error(`${patchFile} is no text of at most ${mostPatch} bytes.`);
}

/** Undefined where it fits. Its text is kept by digest with the intent that writes it. */
async function apply(agent: Agent, patch: string, options: Omit<RunOptions, 'isolated'>): Promise<Ran | undefined> {
  const { within } = options;
  const content = patch.endsWith('\n') ? patch : `${patch}\n`;
  await use(agent, 'fs.write', { path: patchName, content }, { within });
  const argv = ['git', '-c', 'safe.directory=*', 'apply', '--whitespace=nowarn', '--recount', patchName];
  const applied = await run(agent, argv, { ...options, isolated: true });
  await use(agent, 'fs.delete', { path: patchName }, { within });
  return applied.passed ? undefined : applied;
}

const schema = {
  type: 'object',
  properties: { patch: { type: 'string', minLength: 1, maxLength: mostPatch } },
  required: ['patch'],
  additionalProperties: false,
} as const;
const mostShown = 60_000;

interface Attempt {
  readonly before: string | undefined;
  readonly red: Ran;
}

/** A patch on what the working folder holds now. @throws where there is no model, or no answer */
async function proposal(
  agent: Agent,
  given: Given<ExecutorInput>,
  within: string,
  attempt: Attempt | undefined,
): Promise<string> {
  const files = given.input.read.map((file) => ({ file, content: shown(`${within}/${file}`) }));
  const again = attempt && { failed: attempt.red.argv, exitCode: attempt.red.exitCode, output: attempt.red.tail };
  const advised = await advise<{ patch: string }>(agent, given, {
    prompt: `${given.task}\n\nGive the change as a unified diff with paths relative to the repository (a/… and b/…), on top of the files as they are shown. ${attempt ? 'What was tried before has failed; it is applied where "applied" says so, and your diff must go on from there.' : ''}`,
    data: asJson({ files, ...(again ? { again, applied: attempt?.before !== undefined } : {}) }),
    schema,
  });
  if ('none' in advised)
    throw new Error(`There is no patch to apply: the task has none, and there is ${advised.none}.`);
  return advised.answer.patch;
}

function shown(path: string): string {
  return readText(path, mostShown) ?? 'not shown: it is too large, no text, or not there';
}
