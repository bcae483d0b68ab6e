import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { App } from '../../../../app/index.ts';
import { AgovError } from '../../../../kernel/index.ts';
import { writable } from '../../../../project.ts';
import { formatFault, nearest, type Template } from '../../../../schemas/index.ts';
import {
  parsePipeline,
  pipelineUsing,
  readGiven,
  readShipped,
  shippedTemplates,
  templatesIn,
  usesOf,
} from '../../../../work/pipeline/index.ts';
import { type AddCommands, type Cli, oneLine, printable } from '../../frame/index.ts';
import { known, pairs, readPipeline } from '../file.ts';

export const newCommand: AddCommands = (pipeline, define) => {
  define(
    pipeline
      .command('new [template] [file]')
      .description('write a pipeline that uses a template; FILE is pipelines/TEMPLATE.yaml by default')
      .option('--list', 'the templates that come with agov, and what they take')
      .option('-p, --param <name=value...>', 'a parameter of the template'),
    (cli, [template, file], { list, param }) => {
      if (list || template === undefined) return listTemplates(cli);
      return cli.withApp((app) => begin(cli, app, { template, file, given: pairs(param ?? []) }));
    },
    [
      'agov pipeline new --list',
      'agov pipeline new plan-apply pipelines/network.yaml -p dir=infra/network planner=builder',
      'agov pipeline new ./pipelines/parts.yaml#deploy',
    ],
  );
};

async function listTemplates(cli: Cli): Promise<number> {
  const all = shippedTemplates().flatMap((name) => shipped(name) ?? []);
  cli.emit(
    all.map(({ name, description, parameters }) => ({ name: `agov:${name}`, description, parameters })),
    () =>
      cli.table(
        ['TEMPLATE', 'DOES', 'TAKES'],
        all.map(({ name, description, parameters }) => [
          `agov:${name}`,
          oneLine(description ?? ''),
          Object.entries(parameters)
            .map(([key, { default: fallback }]) => (fallback === undefined ? key : `[${key}]`))
            .join(', '),
        ]),
      ),
  );
  return 0;
}

interface Asked {
  readonly template: string;
  readonly file: string | undefined;
  readonly given: Readonly<Record<string, string>>;
}

async function begin(cli: Cli, app: App, { template: asked, file, given }: Asked): Promise<number> {
  const { root } = app.project;
  const found = templateFor(cli, asked);
  const path = file === undefined ? join(root, 'pipelines', `${found.template.name}.yaml`) : resolve(cli.cwd, file);
  const shown = relative(cli.cwd, path);
  if (existsSync(path)) {
    const fix = `Name another: agov pipeline new ${asked} FILE`;
    throw new AgovError('CONFLICT', { what: `${shown} is there already, and is not written over.`, fix });
  }
  const schema = join(root, 'pipelines/schemas/pipeline.schema.json');
  const knows = await known(cli, app, shown);
  const agents = [...(knows.agents ?? [])].flatMap(([name, { status }]) => (status === 'active' ? [name] : []));
  const text = pipelineUsing(found.template, {
    uses:
      found.file === undefined
        ? `agov:${found.template.name}`
        : usesOf(resolve(cli.cwd, found.file), found.template.name, path),
    name: pipelineName(path),
    given: readGiven(found.template, given),
    agents,
    schema: existsSync(schema) ? relative(dirname(path), schema) : undefined,
  });
  writable(path, () => {
    if (!existsSync(dirname(path))) mkdirSync(dirname(path));
    writeFileSync(path, text, { flag: 'wx' });
  });
  // Asked again, since its folder, from which templates are found, may have been made just now.
  const result = parsePipeline(text, shown, await known(cli, app, shown));
  const faults = result.ok ? [] : result.faults;
  cli.emit({ file: shown, template: asked, ok: result.ok, faults }, () => {
    const open = faults.map((fault) => `  ${printable(formatFault(fault))}`);
    const next = `agov pipeline plan ${shown}`;
    if (open.length === 0) return `Wrote ${shown}. Next: ${next}`;
    return [`Wrote ${shown}. Still to be filled in or corrected:`, ...open, `Then: ${next}`].join('\n');
  });
  return 0;
}

/** `plan-apply`, `agov:plan-apply`, or `./file.yaml#name` from where the user is; `file` for the last. */
function templateFor(cli: Cli, asked: string): { readonly template: Template; readonly file: string | undefined } {
  const [, file, name] = /^(.+\.ya?ml)#([a-z][a-z0-9-]*)$/.exec(asked) ?? [];
  if (file !== undefined && name !== undefined) {
    const all = templatesIn(readPipeline(cli, file), file);
    const template = all.find((one) => one.name === name);
    if (template) return { template, file };
    throw absent(
      `${file} has no template "${name}" that can be read.`,
      name,
      all.map((one) => one.name),
      `agov pipeline validate ${file}`,
    );
  }
  const bare = asked.replace(/^agov:/, '');
  const template = shipped(bare);
  if (template) return { template, file: undefined };
  throw absent(`There is no template "${oneLine(asked)}".`, bare, shippedTemplates(), 'agov pipeline new --list');
}

function shipped(name: string): Template | undefined {
  const read = readShipped(name);
  return 'text' in read ? templatesIn(read.text, read.file)[0] : undefined;
}

function absent(what: string, name: string, all: readonly string[], look: string): AgovError {
  const hint = nearest(name, all);
  return new AgovError('NOT_FOUND', { what, fix: hint === undefined ? `See: ${look}` : `Did you mean "${hint}"?` });
}

function pipelineName(path: string): string {
  const narrow = basename(path)
    .replace(/\.ya?ml$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return narrow === '' ? 'pipeline' : narrow.slice(0, 64);
}
