/** The agents that come with agov: a list of them, and definitions for agents of one's own that are like them. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { App } from '../../../../app/index.ts';
import { AgovError, createOnce, packageFile } from '../../../../kernel/index.ts';
import { nearest } from '../../../../schemas/index.ts';
import { definitionFile, definitionFolder, type Shipped, shippedAgents } from '../../../../work/agents/index.ts';
import type { AddCommands } from '../../frame/index.ts';
import { refuseLink } from './define.ts';

export const shippedCommand: AddCommands = (agent, define) => {
  define(
    agent.command('shipped').description('the agents that come with agov: what each does, and what it needs'),
    async (cli) => {
      const all = shippedAgents.map(({ input, ...one }) => ({ ...one, takes: Object.keys(input.shape) }));
      cli.emit(all, () =>
        [
          ...all.flatMap(({ name, tier, does, needs, advice, takes }) => [
            `${cli.colors.bold(name)}  ${tier}  ${does}`,
            `  needs  ${needs.join('; ')}`,
            `  model  optional: ${advice}`,
            `  takes  ${takes.join(', ')}`,
            '',
          ]),
          'Add one under a name of your own: agov agent add scout --like observer',
        ].join('\n'),
      );
    },
    ['agov agent shipped', 'agov agent add scout --like observer'],
  );
};

/** @throws NOT_FOUND with the name that was probably meant */
export function shippedNamed(name: string): Shipped {
  const names = shippedAgents.map((one) => one.name);
  const found = shippedAgents.find((one) => one.name === name);
  if (found) return found;
  const meant = nearest(name, names);
  throw new AgovError('NOT_FOUND', {
    what: `No agent "${name.slice(0, 80)}" comes with agov.`,
    fix: meant ? `Did you mean "${meant}"?` : `There are ${names.join(', ')}.`,
  });
}

/** Before the agent is registered, so that there is not one without the other. @throws CONFLICT */
export function mustBeFree({ project: { root } }: App, name: string): void {
  refuseLink(join(root, definitionFolder));
  const file = definitionFile(root, name);
  if (!existsSync(file)) return;
  throw new AgovError('CONFLICT', {
    what: `${relative(root, file)} is there already.`,
    fix: `Register the agent without --like, or remove the file first.`,
  });
}

/** The path of the definition, relative to the project. */
export function writeLike({ project: { root }, ids }: App, name: string, like: Shipped): string {
  const file = definitionFile(root, name);
  const text = readFileSync(packageFile(`builtin/agents/${like.name}.yaml`), 'utf8');
  mkdirSync(dirname(file), { recursive: true });
  createOnce(file, ids(), text.replace(`\nname: ${like.name}\n`, `\nname: ${name}\n`));
  return relative(root, file);
}
