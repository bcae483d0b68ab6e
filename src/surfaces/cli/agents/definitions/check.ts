import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { App } from '../../../../app/index.ts';
import { AgovError, isAgovError } from '../../../../kernel/index.ts';
import { type Fault, showFault } from '../../../../schemas/index.ts';
import { checkDefinition, definitionFolder, readBeside } from '../../../../work/agents/index.ts';
import { type AddCommands, printable } from '../../frame/index.ts';

export const checkCommand: AddCommands = (agent, define) => {
  define(
    agent
      .command('check [files...]')
      .description('every fault of agent definitions, with line and column; by default of all'),
    (cli, given) =>
      cli.withApp(async (app) => {
        const files = given.length > 0 ? given.map((file) => resolve(cli.cwd, file)) : allOf(app);
        const agents = await (await app.roster()).list();
        const checked = files.map((file) => checkOne(app, file, agents));
        const faults = checked.flatMap((one) => one.faults);
        cli.emit({ ok: faults.length === 0, files: checked.map(({ text: _, ...one }) => one), faults }, () =>
          checked
            .flatMap(({ file, faults: own, notes, text }) => [
              ...own.map((fault) => printable(showFault(fault, text))),
              ...(own.length === 0 ? [`${cli.colors.green('ok')}: ${file}`] : []),
              ...notes.map((note) => `  ${cli.colors.yellow('note')}: ${note}`),
            ])
            .join('\n'),
        );
        return faults.length === 0 ? 0 : 1;
      }),
    ['agov agent check', 'agov agent check agents/reviewer.yaml'],
  );
};

interface Checked {
  readonly file: string;
  readonly faults: readonly Fault[];
  readonly notes: readonly string[];
  readonly text: string;
}

function allOf({ project }: App): string[] {
  const folder = join(project.root, definitionFolder);
  const fix = 'Write a definition: agov agent define NAME';
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  } catch (cause) {
    throw new AgovError('NOT_FOUND', { what: `There is no ${definitionFolder}/ in the project.`, fix, cause });
  }
  if (names.length === 0)
    throw new AgovError('NOT_FOUND', { what: `There is no definition in ${definitionFolder}/.`, fix });
  return names.map((name) => join(folder, name));
}

function checkOne(
  { project, knownToAgents }: App,
  path: string,
  agents: readonly { readonly name: string; readonly tier: string }[],
): Checked {
  const file = relative(project.root, path);
  try {
    const text = readBeside(project.root, path);
    const result = checkDefinition(text, path, knownToAgents);
    if (!result.ok) return { file, faults: result.faults, notes: [], text };
    const { name, tier } = result.definition.value;
    const known = agents.find((one) => one.name === name);
    // The registration changes without the file: no fault of the file's.
    const note = known
      ? `"${name}" is registered at ${known.tier}, and this is for ${tier}.`
      : `"${name}" is not registered: agov agent add ${name} --tier ${tier}`;
    return { file, faults: [], notes: known?.tier === tier ? [] : [note], text };
  } catch (error) {
    if (!isAgovError(error)) throw error;
    const message = [error.what, error.why].filter(Boolean).join(' ');
    return { file, faults: [{ file, line: 1, column: 1, path: '', message }], notes: [], text: '' };
  }
}
