import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { AgovError } from '../../../../kernel/index.ts';
import { writable } from '../../../../project.ts';
import { nameSchema } from '../../../../schemas/index.ts';
import type { AddCommands } from '../../frame/index.ts';
import { schemaNames, schemaText } from './schema.ts';
import { configText, exampleRule, exampleRuleExamples, ignoredPaths, schemaFolder } from './templates.ts';

export const initCommand: AddCommands = (program, define) => {
  define(
    program
      .command('init [dir]')
      .description(
        'write agov.yaml, policies/ with one example rule, schemas for editors, and .gitignore lines; keeps what is there',
      )
      .option('--operator <name>', 'your name as operator (default: the system user)'),
    async (cli, [dir = '.'], { operator }) => {
      const root = resolve(cli.cwd, dir);
      const { username } = userInfo();
      const name = operatorName(operator ?? asName(username));
      const folders = ['', 'policies', 'pipelines', schemaFolder].map((folder) => join(root, folder));
      writable(root, () => folders.forEach(makeFolder));
      const files: Record<string, string> = {
        'agov.yaml': configText(name, username),
        'policies/example.cedar': exampleRule,
        'policies/example.examples.yaml': exampleRuleExamples,
      };
      // The example comes with a new folder only: an operator who removed it does not want it back.
      const fresh = !existsSync(join(root, 'agov.yaml'));
      const written = Object.entries(files).filter(
        ([path]) => (fresh || path === 'agov.yaml') && create(join(root, path), files[path] ?? ''),
      );
      const schemas = writable(root, () => freshenSchemas(root));
      const ignored = addIgnored(join(root, '.gitignore'));
      const made = [...written.map(([path]) => path), ...schemas, ...(ignored.length > 0 ? ['.gitignore'] : [])];
      cli.emit({ root, written: made, operator: name }, () =>
        [
          made.length > 0 ? `Wrote ${made.join(', ')} in ${root}` : `Everything is there already in ${root}`,
          `Next: agov agent add NAME --tier T1, then agov run --agent NAME -- CMD`,
        ].join('\n'),
      );
    },
    ['agov init', 'agov init ./service --operator ada'],
  );
};

/** One level, not all: Node's own loop over missing levels never ends below /proc, and a typing error makes no tree. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (!existsSync(dirname(path))) {
    throw new AgovError('NOT_FOUND', {
      what: `There is no folder ${dirname(path)}.`,
      fix: `mkdir -p ${dirname(path)}`,
    });
  }
  mkdirSync(path);
}

/** Theirs alone is written over: they are this version's, not the project's. What was written. */
function freshenSchemas(root: string): readonly string[] {
  const stale = schemaNames().filter((name) => {
    const path = join(root, schemaFolder, `${name}.schema.json`);
    const text = schemaText(name);
    if (existsSync(path) && readFileSync(path, 'utf8') === text) return false;
    writeFileSync(path, text);
    return true;
  });
  return stale.length > 0 ? [`${schemaFolder}/`] : [];
}

function operatorName(name: string): string {
  const parsed = nameSchema.safeParse(name);
  if (parsed.success) return parsed.data;
  throw new AgovError('INPUT_INVALID', {
    what: `"${name.slice(0, 80)}" cannot be an operator's name.`,
    why: `Please ${parsed.error.issues[0]?.message ?? 'choose another one'}.`,
    fix: `agov init --operator ${asName(name)}`,
  });
}

function create(path: string, text: string): boolean {
  if (existsSync(path)) return false;
  writeFileSync(path, text, { flag: 'wx' });
  return true;
}

function addIgnored(path: string): readonly string[] {
  const have = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const missing = ignoredPaths.filter((line) => !have.split('\n').includes(line));
  if (missing.length > 0) {
    const border = have === '' || have.endsWith('\n') ? '' : '\n';
    writeFileSync(path, `${have}${border}${missing.join('\n')}\n`);
  }
  return missing;
}

/** A system user's name as an operator's. */
function asName(user: string): string {
  const narrow = user
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return narrow === '' ? 'operator' : narrow.slice(0, 64);
}
