/** Options that several commands of the memory share. */
import { type Command, Option } from 'commander';
import { kinds } from '../../../../context/memory/index.ts';
import { AgovError } from '../../../../kernel/index.ts';

export const asOperator = ['--as <operator>', 'the operator who does it'] as const;
export const inSpace = ['--space <name>', 'project, agent/NAME or team/NAME'] as const;

/** `--tag a --tag b`; a list after one flag would take the arguments that follow. */
export function tagOption(means: string): Option {
  return new Option('--tag <tag>', means).argParser((tag, before: readonly string[] = []) => [...before, tag]);
}

export function kindOption(means: string): Option {
  return new Option('--kind <kind>', means).choices([...kinds]);
}

export function filtered(command: Command): Command {
  return command
    .addOption(tagOption('only with this tag; may be given again'))
    .addOption(kindOption('only of this kind'))
    .option('--agent <name>', 'only what this agent logged')
    .option(...inSpace);
}

/** What was given, without what was not. */
export function given<K extends string>(
  options: Readonly<Record<string, unknown>>,
  ...keys: readonly K[]
): Partial<Record<K, never>> {
  const entries = keys.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]);
  return Object.fromEntries(entries) as Partial<Record<K, never>>; // of the types that the options beside them declare
}

/** @throws USAGE */
export function parseLimit(text: string, most: number): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= most) return count;
  throw new AgovError('USAGE', {
    what: `"${text}" is not a number of results.`,
    fix: `Give a whole number from 1 to ${most}.`,
  });
}

/** Ids are told by their last group: the first ones tell the time and are alike. */
export function shortId(id: string): string {
  return id.slice(-12);
}
