/** A backup made while agents work, restored elsewhere, and the ones that must be found out: damaged, unfinished, too old. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';

let project: TestProject;
let place: string;
let losses = 0;
beforeEach(async () => {
  project = await testProject({ builder: 'T1' });
  project.environment['AGOV_SANDBOX'] = 'none';
  place = join(project.root, '..');
  await must(project.agovWith('hunter2-hunter2', 'secret', 'set', 'dev/db'));
  await must(project.agov('run', '--agent', 'builder', '--', 'echo', 'kept as an artifact'));
});
afterEach(() => project[Symbol.dispose]());

const data = (): string => join(project.root, '.agov');
const lose = (): void => renameSync(data(), join(place, `lost-${++losses}`));
const size = async (): Promise<number> => (await project.entries()).length;

it('copies while another process writes, and the copy verifies', async () => {
  const writers = Array.from({ length: 3 }, (_, i) =>
    project.start(['run', '--agent', 'builder', '--', 'sh', '-c', `for i in 1 2 3; do echo ${i}; done`]),
  );
  const made = JSON.parse((await must(project.agov('backup', join(place, 'b1'), '--json'))).stdout);
  await Promise.all(writers.map(({ done }) => done));
  const paths = made.files.map(({ path }: { path: string }) => path);
  expect(paths).toEqual(expect.arrayContaining(['ledger.db', 'secrets.db', 'instance']));
  expect(paths.filter((path: string) => path.startsWith('artifacts/'))).not.toEqual([]);
  expect(paths.filter((path: string) => /state|serve|wal|shm|key/.test(path))).toEqual([]);
  rmSync(join(place, 'keys', 'agov', made.instance, 'head'));
  lose();
  const restored = await must(project.agov('restore', join(place, 'b1')));
  expect(restored.stdout).toContain('verified up to the saved head');
  expect((await must(project.agov('secret', 'list'))).stdout).toContain('dev/db');
});

it('restores record, secrets, artifacts and agents on a machine that has nothing but the backup', async () => {
  await must(project.agov('agent', 'revoke', 'builder', '--reason', 'it lied'));
  const before = await project.entries();
  await must(project.agov('backup', join(place, 'b1'), '--keys', join(place, 'k1')));
  lose();
  rmSync(join(place, 'keys'), { recursive: true });
  const refused = await project.agov('restore', join(place, 'b1'));
  expect([refused.code, refused.stderr]).toEqual([78, expect.stringContaining('key')]);
  lose();
  await must(project.agov('restore', join(place, 'b1'), '--keys', join(place, 'k1')));
  expect(await project.entries()).toEqual(before);
  const agents = JSON.parse((await must(project.agov('agent', 'list', '--json'))).stdout);
  expect(agents).toMatchObject([{ name: 'builder', status: 'revoked' }]);
  await must(project.agov('agent', 'add', 'second', '--tier', 'T1'));
  const done = await must(
    project.agov('run', '--agent', 'second', '--secret', 'DB=dev/db', '--', 'sh', '-c', 'echo "$DB"'),
  );
  expect(done.stdout).toBe('[redacted]\n');
  expect((await must(project.agov('ledger', 'verify'))).stdout).toContain('verified');
});

it('finds out a backup that is older than what was signed since, and allows nothing with it', async () => {
  await must(project.agov('backup', join(place, 'b1'), '--keys', join(place, 'k1')));
  const at = await size();
  await must(project.agov('agent', 'revoke', 'builder', '--reason', 'it lied'));
  lose();
  // The saved head in the backup's keys is as old as the backup, and must not take the place of the one that is there.
  const restored = await project.agov('restore', join(place, 'b1'), '--keys', join(place, 'k1'));
  expect(restored.code).toBe(1);
  expect(restored.stdout).toContain(`at entry ${at}`);
  // The revocation is what the old record lacks: without the witness the agent would be back.
  const run = await project.agov('run', '--agent', 'builder', '--', 'echo', 'back');
  expect([run.code, run.stdout]).toEqual([1, '']);
  expect(run.stderr).toContain('head saved outside the project');
});

it.each([
  [
    'a file that was changed',
    (dir: string) => writeFileSync(join(dir, 'data', 'instance'), 'x'),
    'is not what was copied',
  ],
  ['a file that is missing', (dir: string) => rmSync(join(dir, 'data', 'ledger.db')), 'cannot be read'],
  ['no manifest', (dir: string) => rmSync(join(dir, 'manifest.json')), 'unfinished backup'],
  [
    'a manifest that leads out of it',
    (dir: string) => {
      const path = join(dir, 'manifest.json');
      writeFileSync(
        path,
        readFileSync(path, 'utf8').replace('"instance"\n', '"x"\n').replace('"ledger.db"', '"../../ledger.db"'),
      );
    },
    'manifest is not one',
  ],
])('refuses %s, and restores nothing', async (_name, harm, why) => {
  await must(project.agov('backup', join(place, 'b1')));
  harm(join(place, 'b1'));
  lose();
  const refused = await project.agov('restore', join(place, 'b1'));
  expect(refused.stderr).toContain(why);
  expect(existsSync(data())).toBe(false);
});

it.each([
  ['the project', ['copies'], 'lies in the project'],
  ['its data', ['.agov/copies'], 'lies in the project'],
  ['the project, by a link', ['../link/copies'], 'lies in the project'],
  ['the project, the keys alone', ['../b1', '--keys', 'keys'], 'lies in the project'],
  ['the backup, the keys', ['../b1', '--keys', '../b1/keys'], 'lies in the backup'],
])('is not made where agents could read it, or with its keys: in %s', async (_where, names, said) => {
  symlinkSync(project.root, join(place, 'link'));
  const { code, stderr } = await project.agov('backup', ...names);
  expect([code, stderr]).toEqual([65, expect.stringContaining(said)]);
  expect(existsSync(join(place, 'b1', 'manifest.json'))).toBe(false);
});

it('is open to its owner alone, and what is restored from it as well', async () => {
  await must(project.agov('backup', join(place, 'b1')));
  const modes = (folder: string): number[] =>
    ['ledger.db', 'secrets.db'].map((name) => statSync(join(folder, name)).mode & 0o777);
  expect(modes(join(place, 'b1', 'data'))).toEqual([0o600, 0o600]);
  chmodSync(join(place, 'b1', 'data', 'ledger.db'), 0o644);
  lose();
  await must(project.agov('restore', join(place, 'b1')));
  expect(modes(data())).toEqual([0o600, 0o600]);
});

it.each(['state.db', 'ledger.db-wal', 'serve.json'])(
  'restores nothing with a %s, which no backup holds',
  async (name) => {
    await must(project.agov('backup', join(place, 'b1')));
    const file = join(place, 'b1', 'manifest.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8'));
    const sha256 = createHash('sha256').update('planted').digest('hex');
    writeFileSync(join(place, 'b1', 'data', name), 'planted');
    writeFileSync(file, JSON.stringify({ ...manifest, files: [...manifest.files, { path: name, size: 7, sha256 }] }));
    lose();
    const { code, stderr } = await project.agov('restore', join(place, 'b1'));
    expect([code, stderr]).toEqual([65, expect.stringContaining(`${name} is in no backup`)]);
    expect(existsSync(join(data(), 'ledger.db'))).toBe(false);
  },
);

it('writes over neither a backup nor a record', async () => {
  await must(project.agov('backup', join(place, 'b1')));
  expect((await project.agov('backup', join(place, 'b1'))).stderr).toContain('is not empty');
  const refused = await project.agov('restore', join(place, 'b1'));
  expect([refused.code, refused.stderr]).toEqual([73, expect.stringContaining('never written over')]);
});

it('shows why a plain copy of the files is no backup: what is in the log beside them is not in it', async () => {
  await using _open = await holdOpen();
  mkdirSync(join(place, 'plain'));
  cpSync(join(data(), 'ledger.db'), join(place, 'plain', 'ledger.db'));
  await must(project.agov('backup', join(place, 'b1')));
  const plain = readFileSync(join(place, 'plain', 'ledger.db'));
  expect(readFileSync(join(place, 'b1', 'data', 'ledger.db')).length).toBeGreaterThanOrEqual(plain.length);
  expect(plain.includes('only in the log')).toBe(false);
  expect(readFileSync(join(place, 'b1', 'data', 'ledger.db')).includes('only in the log')).toBe(true);
});

/** A process that has appended and lives, so that SQLite has not moved its pages into the file. */
async function holdOpen(): Promise<AsyncDisposable> {
  const run = project.start([
    'run',
    '--agent',
    'builder',
    '--',
    'sh',
    '-c',
    'echo "only in the log"; sleep 60',
    'only in the log',
  ]);
  await run.printed('only in the log');
  return {
    async [Symbol.asyncDispose]() {
      run.child.kill('SIGTERM');
      await run.done;
    },
  };
}
