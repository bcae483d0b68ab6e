/**
 * `npm run docs`: writes docs/generated/ and builtin/schemas/ from the code, so that no page and no editor says anything
 * else than the program does.
 * `npm run docs -- --check` writes nothing and ends with 1, naming the files that differ.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import type { Command } from 'commander';
import { environmentSettings } from '../src/config.ts';
import { checkpointLineSchema } from '../src/context/checkpoint/index.ts';
import { ERROR_TABLE } from '../src/kernel/index.ts';
import { configSchema, entrySchema } from '../src/schemas/index.ts';
import { openApi } from '../src/surfaces/agent-socket/index.ts';
import { buildProgram } from '../src/surfaces/cli/program.ts';
import {
  type ContextSeat,
  contextOperations,
  createOperations,
  type OperationParts,
} from '../src/work/agents/index.ts';
import { type TeamOperationParts, teamOperations } from '../src/work/teams/index.ts';
import { editorSchemas, jsonSchemaOf } from './editor-schemas.ts';

const root = join(import.meta.dirname, '..');
const folders = ['docs/generated', 'builtin/schemas'];
const note = '<!-- Made by "npm run docs" from the code. Do not edit. -->';

/** Content by path. */
export function generate(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/generated/cli.md', cliPage()],
    ['docs/generated/configuration.md', configurationPage()],
    ['docs/generated/errors.md', errorsPage()],
    ['docs/generated/agent-socket.openapi.json', `${JSON.stringify(socketPage(), null, 2)}\n`],
    ['docs/generated/schemas/entry.schema.json', `${JSON.stringify(jsonSchemaOf(entrySchema), null, 2)}\n`],
    [
      'docs/generated/schemas/checkpoint-line.schema.json',
      `${JSON.stringify(jsonSchemaOf(checkpointLineSchema), null, 2)}\n`,
    ],
    ...[...editorSchemas()].map(([name, text]) => [`builtin/schemas/${name}`, text] as const),
  ]);
}

/** Paths that are missing, differ, or are there for no reason; sorted. */
export function differences(): readonly string[] {
  const wanted = generate();
  const wrong = [...wanted].filter(([path, content]) => read(path) !== content).map(([path]) => path);
  return [...wrong, ...present().filter((path) => !wanted.has(path))].sort();
}

function write(): void {
  const wanted = generate();
  for (const path of present()) if (!wanted.has(path)) rmSync(join(root, path));
  for (const [path, content] of wanted) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

function read(path: string): string | undefined {
  return present().includes(path) ? readFileSync(join(root, path), 'utf8') : undefined;
}

function present(): readonly string[] {
  return folders.flatMap((folder) => {
    mkdirSync(join(root, folder), { recursive: true });
    return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  });
}

/** Nothing is asked of the operations here but their schemas, so that what they are made of may be nothing. */
function socketPage(): unknown {
  const nothing: unknown = new Proxy(() => undefined, { get: () => nothing });
  const seat = { channel: { agent: '', run: '', workspace: '' }, parent: '' };
  const own = [...createOperations(nothing as OperationParts, seat).table.values()];
  const context = contextOperations(nothing as ContextSeat);
  return openApi([...own, ...teamOperations(nothing as TeamOperationParts, seat), ...context]);
}

function errorsPage(): string {
  const rows = Object.entries(ERROR_TABLE).map(([code, { exit, http, retry, summary }]) => [
    `\`${code}\``,
    exit,
    http,
    retry ? 'yes' : 'no',
    summary,
  ]);
  return page('Error codes', [
    'Every error says what happened, why, and what to do about it. Scripts branch on the code, which `--json` prints as `error.code`, or on the exit code. The exit codes are those of sysexits.h where one fits. "Retry" says whether the same call may succeed later with nothing changed by the caller. The column HTTP is for surfaces that speak it.',
    'Other exit codes: 0 is success. `agov run` gives the exit code of the command that it ran, 128 and the signal’s number when a signal ended it. `agov pipeline run` and `resume` give 1 for a failed run, 75 for one that waits for approval, 130 for one that was stopped.',
    table(['Code', 'Exit', 'HTTP', 'Retry', 'Meaning'], rows),
    'What to do about each: [troubleshooting](../guide/troubleshooting.md).',
  ]);
}

function configurationPage(): string {
  const variables = new Map(Object.entries(environmentSettings).map(([name, path]) => [path.join('.'), name]));
  const rows = settings(jsonSchemaOf(configSchema) as Node, '').map(({ path, node, required }) => [
    `\`${path}\``,
    typeOf(node),
    required ? 'required' : node.default === undefined ? '–' : `\`${JSON.stringify(node.default)}\``,
    node.description ?? '',
    variables.has(path) ? `\`${variables.get(path)}\`` : '',
  ]);
  return page('Configuration', [
    '`agov.yaml` lies in the root of a project. It is read once at the start of each command. An unknown key is an error, with its line and column. A variable of the environment goes before the file; lists and maps are set in the file only. A variable that begins with `AGOV_` and is not known is an error too.',
    table(['Setting', 'Type', 'Default', 'Meaning', 'Variable'], rows),
    'The same as a JSON Schema, for editors: [agov.schema.json](../../builtin/schemas/agov.schema.json).',
  ]);
}

/** What is read of a JSON Schema here. */
interface Node {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
}

interface Setting {
  readonly path: string;
  readonly node: Node;
  readonly required: boolean;
}

/** Settings in the order of the schema. A group with a sentence of its own is one setting, one without is its members. */
function settings(node: Node, prefix: string): Setting[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const path = `${prefix}${name}`;
    if (child.properties && child.description === undefined) return settings(child, `${path}.`);
    const members = child.items?.properties ? settings(child.items, `${path}[].`) : [];
    return [{ path, node: child, required: node.required?.includes(name) ?? false }, ...members];
  });
}

function typeOf(node: Node): string {
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.enum) return node.enum.map((value) => `\`${value}\``).join(', ');
  if (node.type === 'array') return `list of ${typeOf(node.items ?? {})}`;
  if (node.properties) {
    const names = Object.keys(node.properties);
    return node.required
      ? names.join(', ')
      : `for each of ${names.join(', ')}: ${typeOf(Object.values(node.properties)[0] ?? {})}`;
  }
  if (typeof node.additionalProperties === 'object') return `map of text to ${typeOf(node.additionalProperties)}`;
  return { string: 'text', integer: 'whole number', boolean: 'yes or no' }[node.type ?? ''] ?? node.type ?? 'any';
}

function cliPage(): string {
  let printed = '';
  const stdout = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        printed += String(chunk);
        done();
      },
    }),
    { columns: 100 },
  );
  const listen = (): Disposable => ({ [Symbol.dispose]: () => undefined });
  const io = {
    stdin: new PassThrough(),
    stdout,
    stderr: stdout,
    environment: {},
    cwd: '/',
    version: '',
    signals: { listen },
  };
  const helpOf = (command: Command): string => {
    printed = '';
    // The options of every command are told once, with the program.
    command.configureHelp({ ...command.configureHelp(), showGlobalOptions: false }).outputHelp();
    return `\`\`\`text\n${printed.trim()}\n\`\`\``;
  };
  const sections = (command: Command, path: string): string[] => [
    `## ${path}\n\n${helpOf(command)}`,
    ...command.commands.flatMap((child) => sections(child, `${path} ${child.name()}`)),
  ];
  return page('Command line', [
    '`--json`, `--verbose` and `--project` may be given to every command. Results go to standard output, everything for the person at the terminal to standard error.',
    ...sections(
      buildProgram(io, () => undefined),
      'agov',
    ),
  ]);
}

function page(title: string, parts: readonly string[]): string {
  return `${[`# ${title}`, note, ...parts].join('\n\n')}\n`;
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const wrong = differences();
    for (const path of wrong) process.stderr.write(`${path} is not what the code says: run "npm run docs"\n`);
    process.exitCode = wrong.length === 0 ? 0 : 1;
  } else {
    write();
  }
}
