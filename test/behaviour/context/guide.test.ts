/** What the pages on context tell people to type works as it stands, and what they say of the files is enough for other programs. */
import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../../support/cli.ts';
import { repository, textOf } from '../../support/files.ts';
import { violations } from '../../support/json-schema.ts';
import { itWith } from '../../support/needs.ts';

const blocks = (page: string, language: string): readonly string[] =>
  [...textOf(page).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, block = '']) => block,
  );
const context = 'docs/CONTEXT_MANAGEMENT.md';
const protocol = 'docs/STATUS_PROTOCOL.md';

let project: TestProject;
beforeAll(async () => {
  project = await testProject({ builder: 'T1' });
  const bin = join(project.root, '..', 'bin');
  mkdirSync(bin);
  for (const [name, file] of [...['checkpoint', 'memory', 'status'].map((one) => [one, one]), ['agov', 'main']]) {
    // As npm puts them there.
    const line = `exec "${process.execPath}" "${join(repository, `dist/${file}.js`)}" "$@"`;
    writeFileSync(join(bin, `${name}`), `#!/bin/sh\n${line}\n`);
    chmodSync(join(bin, `${name}`), 0o755);
  }
});
afterAll(() => project[Symbol.dispose]());

function shell(script: string): string {
  const PATH = `${join(project.root, '..', 'bin')}:${project.environment['PATH']}`;
  const { status, stdout } = spawnSync('sh', ['-eu', '-c', `exec 2>&1\n${script}`], {
    ...{ cwd: project.root, encoding: 'utf8', env: { ...project.environment, PATH } },
  });
  expect({ status, stdout }).toMatchObject({ status: 0 });
  return stdout;
}

it('walks back after a reset in four commands, which stand alone as well', () => {
  const [walk = '', work = ''] = blocks(context, 'sh');
  expect(walk.trim().split('\n')).toHaveLength(4);
  expect(shell(walk)).toContain('Updated STATUS.md');
  const alone = walk.replaceAll(/^agov /gm, '');
  expect(alone).toMatch(/^checkpoint load\ncheckpoint report\nmemory list .*\nstatus update /);
  expect(shell(alone)).toContain('Resuming work');
  expect(shell(work)).toContain('branch rescue');
  expect(shell('checkpoint load --json')).toContain('fix the timeout test');
});

it('goes through a status as the page on it does', () => {
  mkdirSync(join(project.root, 'services/api'), { recursive: true });
  mkdirSync(join(project.root, 'lib/schema'), { recursive: true });
  const [lines = ''] = blocks(protocol, 'sh');
  // A sweep that finds something ends with 1.
  const script = lines.replace(/^(agov status sweep)$/m, '$1 || [ $? -eq 1 ]');
  expect(shell(script)).toContain('write the parser');
  const [example = ''] = blocks(protocol, 'text');
  writeFileSync(join(project.root, 'services/api/STATUS.md'), example);
  mkdirSync(join(project.root, 'services/web'), { recursive: true });
  expect(JSON.parse(shell('status show services/api --json'))).toEqual({
    path: 'services/api',
    status: {
      ...{ phase: 'in-progress', owner: 'ada', updated: '2026-01-31T12:00:00Z', track: 1 },
      tasks: [
        { text: 'write the parser', done: true },
        { text: 'try it with CRLF', done: false },
      ],
      depends: ['lib/schema', '../web'],
    },
    body: '\n# API\n\nWhat people want to say.\n\n## Notes\n\n- 2026-01-31T12:00:00Z ada: CRLF works too\n',
  });
});

itWith('bwrap curl', 'asks from inside of a governed process', async () => {
  const [, , ask = ''] = blocks(context, 'sh');
  expect(ask).toContain('$AGOV_SOCKET');
  const done = await must(project.agov('run', '--agent', 'builder', '--', 'sh', '-ec', ask));
  expect(JSON.parse(done.stdout)).toMatchObject({ text: expect.stringContaining('On branch main') });
});

it('takes the lines of configuration', async () => {
  const [yaml = ''] = blocks(context, 'yaml');
  const config = join(project.root, 'agov.yaml');
  writeFileSync(config, `${readFileSync(config, 'utf8')}\n${yaml}`);
  await must(project.agov('checkpoint', 'timeline'));
  const [json = ''] = blocks(context, 'json');
  const { agov } = JSON.parse(json).mcpServers;
  expect(agov).toEqual({ command: 'agov', args: ['mcp', 'context'] });
  for (const block of blocks(context, 'json')) expect(JSON.parse(block).mcpServers.agov).toMatchObject(agov);
  expect(shell('agov mcp context </dev/null')).toBe('');
});

/** RFC 8785 of what holds no numbers but whole ones. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${inner.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(',')}}`;
}
const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

it('says enough of checkpoints for a program that is not ours to read and to write them', async () => {
  const folder = join(project.root, '.agov/checkpoints');
  const schema = JSON.parse(textOf('docs/generated/schemas/checkpoint-line.schema.json'));
  writeFileSync(join(project.root, 'flight.txt'), 'in flight\n');
  await must(project.agov('checkpoint', 'now', '--notes', 'by agov'));
  const name =
    readdirSync(folder)
      .filter((one) => one.endsWith('.jsonl'))
      .sort()
      .at(-1) ?? '';
  const text = readFileSync(join(folder, name), 'utf8');
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  for (const line of lines) {
    expect(violations(schema, line), line.part).toEqual([]);
    if (line.part !== 'end') expect(sha256(canonical(line.value))).toBe(line.sha256);
  }
  const end = text.lastIndexOf('{"part":"end"');
  expect(lines.at(-1)).toEqual({ part: 'end', sha256: sha256(text.slice(0, end)) });
  const parts = new Map(lines.map(({ part, value }) => [part, value]));
  const files: readonly { path: string; content: string }[] = parts.get('files').value.files;
  const { content = '' } = files.find(({ path }) => path === 'flight.txt') ?? {};
  expect(readFileSync(join(folder, 'objects', content.slice(0, 2), content), 'utf8')).toBe('in flight\n');

  const about = parts.get('about');
  const id = randomUUID().replace(/^(.{14})./, '$17');
  const held = 'by another program\n';
  const object = sha256(held);
  mkdirSync(join(folder, 'objects', object.slice(0, 2)), { recursive: true });
  writeFileSync(join(folder, 'objects', object.slice(0, 2), object), held);
  const file = { path: 'other.txt', change: 'untracked', bytes: held.length, sha256: object, content: object };
  const made = new Map([
    ...parts,
    ['about', { ...about, id, seq: about.seq + 1, previous: about.id }],
    ['notes', { ok: true, value: { notes: 'by another program', next: ['read it'] } }],
    ['files', { ok: true, value: { files: [file], more: 0 } }],
    ['memory', { ok: false, why: 'It keeps none.' }],
  ]);
  made.delete('end');
  const body = [...made].map(([part, value]) => `${canonical({ part, sha256: sha256(canonical(value)), value })}\n`);
  const whole = `${body.join('')}${canonical({ part: 'end', sha256: sha256(body.join('')) })}\n`;
  for (const line of whole.trimEnd().split('\n')) expect(violations(schema, JSON.parse(line))).toEqual([]);
  writeFileSync(join(folder, `${String(about.seq + 1).padStart(8, '0')}-${id}.jsonl`), whole);
  const told = await must(project.agov('checkpoint', 'load', id));
  for (const one of ['by another program', '1. read it', 'other.txt', 'It keeps none.'])
    expect(told.stdout).toContain(one);
  const back = JSON.parse((await must(project.agov('checkpoint', 'restore', id, '--json'))).stdout);
  expect(readFileSync(join(back.folder, 'other.txt'), 'utf8')).toBe(held);
});
