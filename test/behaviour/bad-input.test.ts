import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';

let project: TestProject;
beforeEach(async () => {
  project = await testProject({ builder: 'T1' });
});
afterEach(() => project[Symbol.dispose]());

const inData = (name: string): string => join(project.root, '.agov', name);
/** One sentence of what, then why and fix; never a stack trace. */
const clear = /^agov: .+\n( {2}why: .+\n)?( {2}fix: .+\n)?$/;

describe('agov.yaml', () => {
  it.each([
    ['an unknown key', 'sandbix: none\n', /agov\.yaml:\d+:\d+ .*Did you mean "sandbox"/],
    ['a wrong value', 'limits: { intentsPerRun: many }\n', /agov\.yaml:\d+:\d+/],
    ['a key written twice', 'version: 1\n', /written twice/],
    ['malformed YAML', 'x: [1, 2\n', /agov\.yaml:\d+:\d+/],
    ['an alias bomb', 'protected: &a [x, *a]\n', /agov\.yaml:\d+:\d+/],
  ])('with %s is refused at its line', async (_what, text, message) => {
    appendFileSync(join(project.root, 'agov.yaml'), text);
    const done = await project.agov('agent', 'list');
    expect(done.code).toBe(78);
    expect(done.stderr).toMatch(message);
    expect(done.stderr).toMatch(clear);
  });

  it('that is not UTF-8 is refused', async () => {
    writeFileSync(join(project.root, 'agov.yaml'), Buffer.from([0xff, 0xfe, 0x00]));
    const done = await project.agov('agent', 'list');
    expect([done.code, done.stderr]).toEqual([78, expect.stringContaining('not valid UTF-8')]);
  });

  it('is found from folders below, and missed with a way out', async () => {
    const done = await project.agov('-C', '/', 'agent', 'list');
    expect(done.code).toBe(78);
    expect(done.stderr).toContain('fix: Run "agov init"');
  });

  it('names the setting of the environment that is wrong', async () => {
    Object.assign(project.environment, { AGOV_SANDBOKS: 'none' });
    const unknown = await project.agov('agent', 'list');
    expect(unknown.stderr).toContain('Did you mean AGOV_SANDBOX?');
    Object.assign(project.environment, { AGOV_SANDBOKS: undefined, AGOV_SANDBOX: 'nothing' });
    const wrong = await project.agov('agent', 'list');
    expect(wrong.stderr).toContain('AGOV_SANDBOX');
    expect(wrong.code).toBe(78);
  });
});

describe('agents, operators, secrets', () => {
  it.each([
    ['a name with slashes', ['agent', 'add', '../x'], 65],
    ['a name with capitals', ['agent', 'add', 'Builder'], 65],
    ['a name that is taken', ['agent', 'add', 'builder'], 73],
    ['an operator’s name that does not fit', ['init', 'elsewhere', '--operator', 'Ada Lovelace'], 65],
    ['a tier above T2', ['agent', 'add', 'x', '--tier', 'T3'], 65],
    ['no tier at all', ['agent', 'add', 'x', '--tier', 'T9'], 65],
    ['an agent that is not there', ['agent', 'show', 'nobody'], 66],
    ['an operator that is not there', ['agent', 'add', 'x', '--as', 'mallory'], 66],
    ['a revocation without reason', ['agent', 'revoke', 'builder'], 64],
    ['an unknown command', ['agnet', 'list'], 64],
    ['a folder that nobody can make', ['init', '/proc/x'], 73],
    ['a folder below one that is not there', ['init', '/nowhere/x'], 66],
    ['an approval that is not there', ['approve', '0199c2d4-0000-7000-8000-000000000000'], 65],
    ['an entry that is not there', ['ledger', 'prove', '999999'], 66],
    ['an entry number that is none', ['ledger', 'prove', 'first'], 64],
    ['an artifact that is none', ['artifact', '../../etc/passwd'], 65],
    ['a kind that is none', ['ledger', 'tail', '--kind', 'intents'], 64],
    ['an action that is none', ['explain', '--agent', 'builder', 'fs.wirte', 'x'], 64],
    ['an agent that does not run', ['run', '--agent', 'nobody', '--', 'true'], 77],
  ])('answers %s', async (_what, argv, code) => {
    const done = await project.agov(...argv);
    expect([argv, done.code]).toEqual([argv, code]);
    expect(done.stderr).not.toMatch(/\n\s+at /);
  });

  it.each(['dev/../prod/db', '/dev/db', 'dev//db', 'dev/', '..', 'dev/\u0000'])(
    'refuses the secret path %j',
    async (path) => {
      const done = await project.agovWith('value', 'secret', 'set', path);
      expect(done.code).toBe(65);
      expect(done.stderr).toMatch(clear);
    },
  );

  it('refuses an operator who belongs to another user of the machine', async () => {
    const file = join(project.root, 'agov.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('operators:\n', 'operators:\n  - { name: grace, user: somebody-else }\n'));
    const done = await project.agov('agent', 'add', 'x', '--as', 'grace');
    expect([done.code, done.stderr]).toEqual([
      77,
      expect.stringContaining('belongs to the system user "somebody-else"'),
    ]);
    expect(JSON.parse((await must(project.agov('agent', 'add', 'x', '--json'))).stdout)).toMatchObject({
      operator: 'ada',
    });
  });

  it('refuses an empty secret', async () => {
    expect((await project.agovWith('', 'secret', 'set', 'dev/db')).code).toBe(65);
  });
});

describe('damaged files', () => {
  it('finds a flipped byte in an entry, and says where', async () => {
    await must(project.agov('agent', 'add', 'other'));
    const db = new DatabaseSync(inData('ledger.db'));
    const row = db.prepare('SELECT bytes FROM entries WHERE seq = 1').get() as { bytes: Uint8Array };
    const changed = Buffer.from(row.bytes);
    const at = changed.indexOf('other');
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    db.prepare('UPDATE entries SET bytes = ? WHERE seq = 1').run(changed);
    db.close();
    const done = await project.agov('ledger', 'verify');
    expect(done.code).toBe(1);
    expect(done.stdout).toContain('at entry 1:');
  });

  it('finds a cut tail by a head saved earlier, also when the heads were cut too', async () => {
    await must(project.agov('agent', 'add', 'other'));
    const { stdout } = await must(project.agov('ledger', 'head'));
    const head = join(project.root, '..', 'monday.head');
    writeFileSync(head, stdout);
    expect((await project.agov('ledger', 'verify', '--head', head)).code).toBe(0);
    await must(project.agov('agent', 'add', 'third'));
    expect((await project.agov('ledger', 'verify', '--head', head)).code).toBe(0);
    const db = new DatabaseSync(inData('ledger.db'));
    db.exec('DELETE FROM entries WHERE seq >= 1; DELETE FROM heads WHERE size > 1');
    db.close();
    const done = await project.agov('ledger', 'verify', '--head', head);
    expect(done.code).toBe(1);
    expect(done.stdout).toContain('BROKEN');
  });

  it('refuses a head that is forged', async () => {
    const { stdout } = await must(project.agov('ledger', 'head'));
    const head = join(project.root, '..', 'forged.head');
    writeFileSync(head, stdout.replace(/\n\d+\n/, '\n7\n'));
    const done = await project.agov('ledger', 'verify', '--head', head);
    expect(done.code).toBe(1);
  });

  it('refuses a ledger of a newer agov', async () => {
    const db = new DatabaseSync(inData('ledger.db'));
    db.exec('PRAGMA user_version = 99');
    db.close();
    const done = await project.agov('agent', 'add', 'x');
    expect(done.code).toBe(78);
    expect(done.stderr).toContain('has format 99; this agov knows 1');
    expect(done.stderr).toMatch(clear);
  });

  it('refuses a ledger without its key, and makes no new one', async () => {
    Object.assign(project.environment, { XDG_CONFIG_HOME: join(project.root, '..', 'elsewhere') });
    const done = await project.agov('agent', 'add', 'x');
    expect(done.code).toBe(78);
    expect(done.stderr).toContain('ledger.key');
  });

  it('says how to mend a damaged state file, and mends it', async () => {
    await must(project.agov('agent', 'revoke', 'builder', '--reason', 'test'));
    const file = openSync(inData('state.db'), 'r+');
    writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, 0);
    closeSync(file);
    const done = await project.agov('agent', 'list');
    expect(done.code).toBe(69);
    expect(done.stderr).toContain('agov state rebuild');
    expect(done.stderr).toMatch(clear);
    await must(project.agov('state', 'rebuild'));
    const [agent] = JSON.parse((await must(project.agov('agent', 'list', '--json'))).stdout);
    expect(agent).toMatchObject({ name: 'builder', status: 'revoked', reason: 'test' });
  });

  it('loses no revocation with an emptied state file', async () => {
    await must(project.agov('agent', 'revoke', 'builder', '--reason', 'test'));
    truncateSync(inData('state.db'), 0);
    const done = await project.agov('run', '--agent', 'builder', '--', 'true');
    expect(done.code).not.toBe(0);
  });

  it('refuses an artifact whose bytes have changed', async () => {
    const input = join(project.root, 'p.yaml');
    writeFileSync(
      input,
      'apiVersion: agov/v1\nkind: Pipeline\nname: p\nstages:\n  a: { agent: builder, uses: fs.write, with: { path: x, content: y } }\n',
    );
    await project.agov('pipeline', 'run', 'p.yaml');
    const started = (await project.entries()).find((entry) => entry.kind === 'run');
    const sha256 = started?.artifacts?.[0]?.sha256 ?? '';
    appendFileSync(inData(join('artifacts', sha256.slice(0, 2), sha256)), '# more');
    const done = await project.agov('artifact', sha256);
    expect(done.code).toBe(1);
    expect(done.stderr).toContain('not what was recorded');
  });
});

describe('a policy set', () => {
  const rule = (name: string, text: string, examples: string): void => {
    writeFileSync(join(project.root, 'policies', `${name}.cedar`), text);
    writeFileSync(join(project.root, 'policies', `${name}.examples.yaml`), examples);
  };

  it('that cannot be parsed allows nothing', async () => {
    rule(
      'broken',
      '@id("x")\nforbid (principal, action, resource) when { resource.pth == 3 ;\n',
      'x: { matches: [], ignores: [] }\n',
    );
    const done = await project.agov('run', '--agent', 'builder', '--', 'true');
    expect(done.code).toBe(1);
    expect(done.stderr).toMatch(/broken\.cedar:\d+:\d+/);
    expect((await project.agov('policy', 'check')).code).toBe(1);
  });

  it('with a rule that has no example is refused', async () => {
    rule(
      'bare',
      '@id("bare")\nforbid (principal, action == Agov::Action::"fs.write", resource);\n',
      'bare: { matches: [], ignores: [] }\n',
    );
    const done = await project.agov('policy', 'check');
    expect(done.code).toBe(1);
    expect(done.stdout).toContain('bare');
  });
});

describeWith('bwrap', 'a disk that does not take it', () => {
  const main = new URL('../../dist/main.js', import.meta.url).pathname;
  /** Runs agov with `.agov` on a disk of its own, as bubblewrap lays it out. */
  const on = (mount: readonly string[], ...argv: string[]) =>
    spawnSync(
      'bwrap',
      ['--dev-bind', '/', '/', ...mount, '--chdir', project.root, '--', process.execPath, main, ...argv],
      {
        env: project.environment,
        encoding: 'utf8',
      },
    );

  it('that is read-only: nothing is allowed, in one sentence', () => {
    const data = join(project.root, '.agov');
    const done = on(['--ro-bind', data, data], 'run', '--agent', 'builder', '--', 'touch', 'ran');
    expect(done.status).toBe(73);
    expect(done.stderr).toMatch(clear);
    expect(existsSync(join(project.root, 'ran'))).toBe(false);
    const verify = on(['--ro-bind', data, data], 'ledger', 'verify');
    expect(verify.stdout).toContain('verified');
  });

  it('that is full: nothing is allowed, and nothing recorded is lost', () => {
    const data = join(project.root, '.agov');
    const small = ['--size', String(700 * 1024), '--tmpfs', '/mnt'];
    const steps = [
      `cp -a ${data} /mnt/agov`,
      'dd if=/dev/zero of=/mnt/filler bs=1k count=2000 2>/dev/null || true',
      `rm -rf ${project.root}/.agov && ln -s /mnt/agov ${project.root}/.agov`,
      `cd ${project.root}`,
      `${process.execPath} ${main} agent add late; echo "exit $?"`,
      'rm -f /mnt/filler',
      `${process.execPath} ${main} ledger verify; echo "exit $?"`,
    ].join('\n');
    const done = spawnSync('bwrap', ['--dev-bind', '/', '/', ...small, '--', 'sh', '-c', steps], {
      env: project.environment,
      encoding: 'utf8',
    });
    expect(done.stdout).toMatch(/^exit 74\nverified.*\nexit 0\n$/);
    expect(done.stderr).toMatch(clear);
  });
});

describe('what agov prints', () => {
  it('shows control sequences of others, and does not obey them', async () => {
    const done = await project.agov('agent', 'show', '\u001b[31mred\u001b]0;title\u0007');
    expect(done.stderr).not.toContain('\u001b');
  });

  it('ends quietly when its reader has gone', async () => {
    const started = project.start(['ledger', 'tail', '--follow']);
    await started.printed('agent');
    started.child.stdout?.destroy();
    await must(project.agov('agent', 'add', 'late'));
    expect(await started.done).toMatchObject({ code: 0, signal: null, stderr: '' });
  });

  it('shows a stack only when asked', async () => {
    const plain = await project.agov('agent', 'show', 'nobody');
    const verbose = await project.agov('--verbose', 'agent', 'show', 'nobody');
    expect(plain.stderr).not.toContain(' at ');
    expect(verbose.stderr).toContain(' at ');
  });

  it('gives errors as JSON under --json', async () => {
    const done = await project.agov('--json', 'agent', 'show', 'nobody');
    expect(JSON.parse(done.stderr)).toMatchObject({ error: { code: 'NOT_FOUND' } });
  });

  it('keeps files for the owner alone', () => {
    const list = spawnSync('find', [
      join(project.root, '.agov'),
      join(project.root, '..', 'keys'),
      '-perm',
      '/077',
      '-type',
      'f',
    ]);
    expect(list.stdout.toString()).toBe('');
    expect(readFileSync(inData('instance'), 'utf8')).toMatch(/^[0-9a-f-]{36}\n$/);
  });
});
