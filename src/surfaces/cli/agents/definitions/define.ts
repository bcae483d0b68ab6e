import { existsSync, lstatSync, mkdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Option } from 'commander';
import { AgovError, createOnce } from '../../../../kernel/index.ts';
import { nameSchema } from '../../../../schemas/index.ts';
import { definitionFile, definitionFolder, type KindName } from '../../../../work/agents/index.ts';
import type { AddCommands } from '../../frame/index.ts';
import { definitionTexts, functionText } from './templates.ts';

export const defineCommand: AddCommands = (agent, define) => {
  define(
    agent
      .command('define <name>')
      .description('write agents/NAME.yaml: what runs in the name of an agent')
      .addOption(
        new Option('--kind <kind>', 'a language model, a command, or a module')
          .choices(Object.keys(definitionTexts))
          .default('llm'),
      ),
    (cli, [name = ''], { kind }) =>
      cli.withApp(async (app) => {
        refuseBadName(name);
        const known = (await (await app.roster()).list()).find((one) => one.name === name);
        const { root } = app.project;
        const file = definitionFile(root, name);
        if (existsSync(file)) {
          const fix = 'Change it with your editor, or remove it first.';
          throw new AgovError('CONFLICT', { what: `${relative(root, file)} is there already.`, fix });
        }
        refuseLink(join(root, definitionFolder));
        mkdirSync(dirname(file), { recursive: true });
        const model = Object.keys(app.config.models)[0] ?? 'main';
        const text = definitionTexts[kind as KindName]({ name, tier: known?.tier ?? 'T0', model });
        createOnce(file, app.ids(), text);
        const module = join(dirname(file), `${name}.ts`);
        if (kind === 'function' && !existsSync(module)) createOnce(module, app.ids(), functionText);
        const shown = relative(root, file);
        cli.emit({ file: shown, kind, registered: known !== undefined }, () =>
          [
            `Wrote ${shown}.`,
            ...(known ? [] : [`Register the agent: agov agent add ${name} --tier T0`]),
            ...(kind === 'llm' && app.config.models[model] === undefined
              ? [`Set up the model "${model}" under "models" in agov.yaml; see the guide to agents.`]
              : []),
            `Run it: agov agent run ${name} --task "…"`,
          ].join('\n'),
        );
      }),
    ['agov agent define reviewer', 'agov agent define linter --kind process'],
  );
};

function refuseBadName(name: string): void {
  const parsed = nameSchema.safeParse(name);
  if (parsed.success) return;
  throw new AgovError('INPUT_INVALID', {
    what: `"${name.slice(0, 80)}" is no name for an agent.`,
    fix: `${parsed.error.issues[0]?.message ?? 'Use a-z and 0-9'}.`,
  });
}

/** An agent may have made it before the folder was kept from it. */
export function refuseLink(folder: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw new AgovError('CONFLICT', { what: `${folder} is a symlink.`, fix: 'Make it a folder of the project.' });
}
