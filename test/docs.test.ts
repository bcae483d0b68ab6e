/** The documentation says what is so: generated pages are fresh, links lead somewhere, and what it names exists. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { differences } from '../docs/generate.ts';
import { checkPolicies } from '../src/governance/policy/index.ts';
import { loadTiers } from '../src/governance/tiers/index.ts';
import { ERROR_TABLE } from '../src/kernel/index.ts';
import { buildProgram } from '../src/surfaces/cli/program.ts';
import { filesUnder, repository, textOf } from './support/files.ts';

const pages = filesUnder('.', '.md');
const written = pages.filter((page) => !page.startsWith('docs/generated/'));

it('holds generated pages that the code would write again', () => {
  expect(differences()).toEqual([]);
});

describe.each(pages)('%s', (page) => {
  const text = textOf(page);

  it('links to what is there', () => {
    const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    expect(links.filter((target) => !leadsSomewhere(page, target))).toEqual([]);
  });

  it('names files that exist', () => {
    const named = [...text.matchAll(/`((?:src|test|docs|builtin|examples|bench)\/[\w./-]+)`/g)].map(
      ([, path = '']) => path,
    );
    expect(named.filter((path) => !existsSync(join(repository, path)))).toEqual([]);
  });
});

it('shows rules that can be used as they stand', async () => {
  const blocks = (language: string): string =>
    [...textOf('docs/guide/policies.md').matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))]
      .map(([, block = '']) => block)
      .filter((block) => language === 'cedar' || block.includes('matches:'))
      .join('\n');
  const projectDir = mkdtempSync(join(tmpdir(), 'agov-docs-'));
  mkdirSync(join(projectDir, 'policies'));
  writeFileSync(join(projectDir, 'policies', 'guide.cedar'), blocks('cedar'));
  writeFileSync(join(projectDir, 'policies', 'guide.examples.yaml'), blocks('yaml'));
  const report = await checkPolicies({ tiers: await loadTiers(), projectDir });
  rmSync(projectDir, { recursive: true });
  expect(report.faults).toEqual([]);
  expect(report.counts.rules).toBe(4);
});

it('tells what to do about every error', () => {
  const page = textOf('docs/guide/troubleshooting.md');
  expect(Object.keys(ERROR_TABLE).filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});

it('shows only commands and options that there are', () => {
  const shown = written.flatMap((page) => commandsOf(textOf(page)).map((line) => ({ page, line })));
  expect(shown.length).toBeGreaterThan(30);
  expect(shown.flatMap(({ page, line }) => faultsOf(line).map((fault) => `${page}: ${line}: ${fault}`))).toEqual([]);
});

function leadsSomewhere(page: string, target: string): boolean {
  if (/^[a-z]+:/.test(target)) return true;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(repository, file))) return false;
  return anchor === undefined || anchorsOf(textOf(file)).includes(anchor);
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '');
}

/** Lines of shell blocks that call agov, continuation lines joined. */
function commandsOf(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block.replaceAll('\\\n', ' '));
  return blocks
    .flatMap((block) => block.split('\n'))
    .flatMap((line) => [...line.matchAll(/(?:^|[|(;] *|npx )(agov [^|;)>]+)/g)].map(([, call = '']) => call.trim()));
}

function faultsOf(line: string): readonly string[] {
  let command = program();
  const global = optionsOf(command);
  const faults: string[] = [];
  for (const word of line.split(/\s+/).slice(1)) {
    if (word === '--') break;
    const child = command.commands.find((one) => one.name() === word);
    if (child) command = child;
    const option = /^(--?[a-zA-Z][\w-]*)/.exec(word)?.[1];
    if (option && ![...global, ...optionsOf(command), '--help'].includes(option)) faults.push(`no option ${option}`);
  }
  // A group that takes options does something by itself.
  const isGroup = command.commands.length > 0 && (command.parent === null || command.options.length === 0);
  if (isGroup && !line.includes('--help') && !line.includes('--version')) faults.push('no such command');
  return faults;
}

function optionsOf(command: Command): readonly string[] {
  return command.options.flatMap(({ long, short }) =>
    [long, short].filter((name) => name !== undefined && name !== null),
  );
}

function program(): Command {
  const stream = new PassThrough();
  const listen = (): Disposable => ({ [Symbol.dispose]: () => undefined });
  const io = {
    stdin: stream,
    stdout: stream,
    stderr: stream,
    environment: {},
    cwd: '/',
    version: '',
    signals: { listen },
  };
  return buildProgram(io, () => undefined);
}
