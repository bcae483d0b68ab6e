/** What the README tells people to type works as it stands: its marked blocks are one shell script, run in an empty folder. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { repository, textOf } from './support/files.ts';
import { describeWith } from './support/needs.ts';

const blocks = marked('README.md', 'run');
const audit = marked('docs/guide/ledger-and-audit.md', 'audit');

function marked(page: string, mark: string): readonly string[] {
  const pattern = new RegExp(`^<!-- ${mark} -->\\s*\`\`\`sh\\n([\\s\\S]*?)^\`\`\``, 'gm');
  return [...textOf(page).matchAll(pattern)].map(([, block = '']) => block);
}

describeWith('bwrap', 'the README', () => {
  let place: string;
  let result: { readonly status: number | null; readonly output: string };

  beforeAll(() => {
    place = mkdtempSync(join(tmpdir(), 'agov-readme-'));
    const bin = join(place, 'bin');
    mkdirSync(bin);
    // As `npm link` would put it there.
    writeFileSync(
      join(bin, 'agov'),
      `#!/bin/sh\nexec "${process.execPath}" "${join(repository, 'dist/main.js')}" "$@"\n`,
    );
    chmodSync(join(bin, 'agov'), 0o755);
    const { status, stdout } = spawnSync('sh', ['-eu', '-c', `exec 2>&1\n${blocks.join('\n')}`], {
      cwd: place,
      encoding: 'utf8',
      env: {
        PATH: `${bin}:${process.env['PATH']}`,
        HOME: place,
        XDG_CONFIG_HOME: join(place, 'keys'),
        LANG: 'C.UTF-8',
      },
    });
    result = { status, output: stdout };
  }, 180_000);
  afterAll(() => rmSync(place, { recursive: true, force: true }));

  it('has blocks to run', () => {
    expect(blocks.length).toBeGreaterThan(4);
  });

  it('runs to its end', () => {
    expect(result).toMatchObject({ status: 0 });
  });

  it.each([
    'the sandbox said no',
    'the rules said no: 77',
    'the new rule said no: 77',
    'an operator is asked: 75',
    'ada approved: repo.merge main',
    'Merged agov/builder/cheaper into main',
    'release ok in',
    'verified: ',
  ])('says "%s"', (text) => {
    expect(result.output).toContain(text);
  });

  const openssl = /^OpenSSL [3-9]/.test(spawnSync('openssl', ['version'], { encoding: 'utf8' }).stdout ?? '');
  const why = openssl ? '' : ' (skipped: needs OpenSSL 3)';

  it.skipIf(!openssl && process.env['CI'] !== 'true')(`leaves a log that the auditor’s walk verifies${why}`, () => {
    expect(audit).toHaveLength(2);
    const [head, leaf] = audit.map((block) => spawnSync('sh', ['-eu', '-c', block], { cwd: place, encoding: 'utf8' }));
    expect(head?.stdout).toContain('Signature Verified Successfully');
    // "SHA2-256(stdin)= 86…" on the first line, od's spaced bytes on those after it.
    const [first = '', ...rest] = (leaf?.stdout ?? '').split('\n');
    const [byHand, stored] = [first.split('= ')[1], rest.join('').replaceAll(' ', '')];
    expect(byHand).toMatch(/^[0-9a-f]{64}$/);
    expect(stored).toBe(byHand);
  });

  it('leaves what it says it leaves', () => {
    expect(readFileSync(join(place, 'shop', 'price.mjs'), 'utf8')).toBe('export const price = 9;\n');
    expect(readFileSync(join(place, 'shop', 'NEWS.md'), 'utf8')).toBe('out now\n');
    expect(readFileSync(join(place, 'entry-3.tlog-proof'), 'utf8')).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex 3\n/);
    expect(readFileSync(join(place, 'log', 'checkpoint'), 'utf8')).toContain('agov.local/');
    expect(readFileSync(join(place, 'ledger.pem'), 'utf8')).toContain('PUBLIC KEY');
  });
});
