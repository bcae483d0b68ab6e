import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';
import { larger } from '../support/sizes.ts';

let project: TestProject;
beforeAll(async () => {
  project = await testProject({ reader: 'T0', builder: 'T1' });
});
afterAll(() => project[Symbol.dispose]());

const run = (agent: string, ...argv: string[]) => project.agov('run', '--agent', agent, '--', ...argv);
const sh = (agent: string, script: string) => run(agent, 'sh', '-c', script);

describeWith('bwrap', 'agov run', () => {
  it('passes output and exit code on, and records both', async () => {
    const done = await sh('reader', 'echo out; echo err >&2; exit 7');
    expect(done).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\n' });
    const entries = await project.entries();
    const outcome = entries.findLast((entry) => entry.kind === 'outcome');
    const intent = entries.find((entry) => entry.id === outcome?.parent);
    expect(intent).toMatchObject({ kind: 'intent', agent: 'reader', tier: 'T0', body: { action: 'process.exec' } });
    expect(outcome?.body).toMatchObject({ status: 'failed', facts: { exitCode: 7, sandbox: 'bubblewrap' } });
    const [stdout] = outcome?.artifacts ?? [];
    expect((await project.agov('artifact', stdout?.sha256 ?? '')).stdout).toBe('out\n');
  });

  it('keeps T0 from writing the workspace', async () => {
    const done = await sh('reader', 'echo x > made-by-t0');
    expect(done.stderr).toContain('Read-only file system');
    expect(existsSync(join(project.root, 'made-by-t0'))).toBe(false);
  });

  it('lets T1 write its workspace and nothing else', async () => {
    await must(sh('builder', 'echo x > made-by-t1'));
    expect(readFileSync(join(project.root, 'made-by-t1'), 'utf8')).toBe('x\n');
    const outside = join(project.root, '..', 'outside');
    await sh('builder', `echo x > ${outside}`);
    expect(existsSync(outside)).toBe(false);
  });

  it.each([
    ['the data folder', 'cat .agov/instance'],
    ['the keys', 'find / -name ledger.key 2>/dev/null | grep .'],
    ['writing the configuration', 'echo "sandbox: none" >> agov.yaml'],
    ['replacing the configuration', 'echo x > new && mv -f new agov.yaml'],
    ['a new policy', 'echo "permit(principal, action, resource);" > policies/mine.cedar'],
    ['renaming the policies', 'mv policies elsewhere'],
    ['hook settings that are not there yet', 'mkdir -p .claude && echo "{}" > .claude/settings.json'],
    ['git history', 'git -c user.name=x -c user.email=x@x commit --allow-empty -m x'],
    ['git hooks', 'echo "#!/bin/sh" > .git/hooks/pre-commit'],
    ['git configuration', 'git config core.fsmonitor /tmp/evil'],
    ['a remount', 'mount -o remount,rw /'],
    ['the network', 'exec 3<>/dev/tcp/1.1.1.1/53'],
  ])('keeps T1 from %s', async (_what, script) => {
    const before = readFileSync(join(project.root, 'agov.yaml'), 'utf8');
    const done = await run('builder', 'bash', '-c', script);
    expect(done.code).not.toBe(0);
    expect(readFileSync(join(project.root, 'agov.yaml'), 'utf8')).toBe(before);
    expect(existsSync(join(project.root, 'policies/mine.cedar'))).toBe(false);
    expect(existsSync(join(project.root, '.claude/settings.json'))).toBe(false);
  });

  it('answers a command that does not exist with 127 and a way out', async () => {
    const done = await run('reader', 'no-such-program');
    expect(done.code).toBe(127);
    expect(done.stderr).toMatch(/no command "no-such-program".*\n {2}why: .*\n {2}fix: /);
  });

  it('refuses workspaces that lead out of the project', async () => {
    symlinkSync('/etc', join(project.root, 'door'));
    const done = await project.agov('run', '--agent', 'builder', '--workspace', 'door', '--', 'ls');
    rmSync(join(project.root, 'door'));
    expect(done.code).toBe(65);
    expect(done.stderr).toContain('symlink to /etc');
  });

  it('refuses the governor’s own folders as workspaces', async () => {
    for (const folder of ['.agov', 'policies', '.git']) {
      const done = await project.agov('run', '--agent', 'builder', '--workspace', folder, '--', 'ls');
      expect([folder, done.code]).toEqual([folder, 65]);
    }
  });

  it('gives the outcome as JSON, and the output by its digest', async () => {
    const done = await project.agov('run', '--json', '--agent', 'builder', '--', 'echo', 'out');
    const { intent, outcome } = JSON.parse(done.stdout);
    expect(outcome).toMatchObject({ status: 'ok', facts: { exitCode: 0, stdout: { size: 4 } } });
    expect((await project.agov('artifact', outcome.facts.stdout.sha256)).stdout).toBe('out\n');
    expect((await project.entries()).at(-1)).toMatchObject({ kind: 'outcome', parent: intent });
  });

  it('runs without a sandbox only where the configuration says so, and every outcome says it', async () => {
    Object.assign(project.environment, { AGOV_SANDBOX: 'none' });
    await must(run('reader', 'true'));
    Object.assign(project.environment, { AGOV_SANDBOX: undefined });
    const outcome = (await project.entries()).findLast((entry) => entry.kind === 'outcome');
    expect(outcome?.body).toMatchObject({ status: 'ok', facts: { sandbox: 'none' } });
  });

  it('refuses an operator’s act from inside a run, also where nothing contains it', async () => {
    const main = new URL('../../dist/main.js', import.meta.url).pathname;
    const command = ['run', '--agent', 'reader', '--', process.execPath, main, 'agent', 'add', 'mine', '--tier', 'T2'];
    const done = await project.start(command, { env: { AGOV_SANDBOX: 'none' } }).done;
    expect(done.code).toBe(77);
    expect(done.stderr).toContain('inside a governed run');
    expect((await project.agov('agent', 'show', 'mine')).code).toBe(66);
  });

  it('stops a run that takes too long, and says so', async () => {
    const done = await project.agov('run', '--agent', 'builder', '--timeout', '200ms', '--', 'sleep', '600');
    expect(done.code).toBe(137);
    const outcome = (await project.entries()).findLast((entry) => entry.kind === 'outcome');
    expect(outcome?.body['reason']).toMatch(/longer than 200 ms/);
  });

  it('works from a folder of the project', async () => {
    mkdirSync(join(project.root, 'sub'), { recursive: true });
    const done = await project.agov('-C', join(project.root, 'sub'), 'run', '--agent', 'builder', '--', 'pwd');
    expect(done.stdout).toBe(`${join(project.root, 'sub')}\n`);
  });

  it('leases a secret for one command, and records it nowhere', async () => {
    const value = 'correct-horse-battery-staple';
    await must(project.agovWith(`${value}\n`, 'secret', 'set', 'dev/db'));
    const script = 'test -n "$DB" && echo "plain $DB" && printf %s "$DB" | base64';
    const done = await project.agov('run', '--agent', 'builder', '--secret', 'DB=dev/db', '--', 'sh', '-c', script);
    expect(done.code).toBe(0);
    expect(done.stdout).toBe('plain [redacted]\n[redacted]\n');
    const without = await sh('builder', 'test -z "$DB" && echo none');
    expect(without.stdout).toBe('none\n');
    for (const file of ['ledger.db', 'ledger.db-wal', 'state.db', 'state.db-wal', 'secrets.db', 'secrets.db-wal']) {
      const path = join(project.root, '.agov', file);
      if (existsSync(path)) expect(readFileSync(path).includes(value), file).toBe(false);
    }
    const kinds = (await project.entries()).filter((entry) => entry.body['action'] === 'secret.read');
    expect(kinds.at(-1)).toMatchObject({ parent: expect.any(String), body: { resource: 'dev/db' } });
  });

  it('refuses a secret that the tier does not have, before the command runs', async () => {
    const done = await project.agov('run', '--agent', 'reader', '--secret', 'DB=dev/db', '--', 'touch', 'ran');
    expect(done.code).toBe(77);
    expect(done.stderr).toContain('may not have the secret dev/db');
  });

  it('has an intent and an outcome of each of many runs at once', async () => {
    const many = larger ? 20 : 6;
    const before = await project.entries();
    const runs = Array.from({ length: many }, () => project.start(['run', '--agent', 'builder', '--', 'true']).done);
    for (const done of await Promise.all(runs)) expect(done).toMatchObject({ code: 0, stderr: '' });
    const entries = (await project.entries()).slice(before.length);
    const intents = entries.filter((entry) => entry.kind === 'intent');
    const outcomes = entries.filter((entry) => entry.kind === 'outcome');
    expect(intents).toHaveLength(many);
    expect(outcomes.map((entry) => entry.parent).sort()).toEqual(intents.map((entry) => entry.id).sort());
    expect((await project.agov('ledger', 'verify')).code).toBe(0);
  }, 120_000);

  it('forwards signals to the command', async () => {
    const started = project.start([
      ...['run', '--agent', 'builder', '--', 'sh', '-c'],
      'trap "echo caught; exit 9" TERM; echo ready; while :; do sleep 0.05; done',
    ]);
    await started.printed('ready');
    started.child.kill('SIGTERM');
    const done = await started.done;
    expect(done).toMatchObject({ code: 9, stdout: 'ready\ncaught\n' });
  });

  it('says unknown when the governor was killed, and leaves no process behind', async () => {
    const mark = `sleep-${process.pid}-${Math.trunc(performance.now())}`;
    writeFileSync(join(project.root, mark), '#!/bin/sh\necho ready\nexec sleep 600\n', { mode: 0o755 });
    const started = project.start(['run', '--agent', 'builder', '--', `./${mark}`]);
    await started.printed('ready');
    started.child.kill('SIGKILL');
    await started.done;
    rmSync(join(project.root, mark));
    await must(run('builder', 'true'));
    const entries = await project.entries();
    const intent = entries.find((entry) => entry.body['resource'] === `./${mark}`);
    const outcome = entries.find((entry) => entry.parent === intent?.id);
    expect(outcome?.body).toMatchObject({ status: 'unknown' });
    expect((await project.agov('ledger', 'verify')).code).toBe(0);
  });

  it('ends the leases that a killed governor left behind when their agent is revoked', async () => {
    await must(project.agov('agent', 'add', 'orphaned', '--tier', 'T1'));
    await must(project.agovWith('value', 'secret', 'set', 'dev/left'));
    const command = ['run', '--agent', 'orphaned', '--secret', 'LEFT=dev/left', '--'];
    const started = project.start([...command, 'sh', '-c', 'echo ready; exec sleep 600']);
    await started.printed('ready');
    started.child.kill('SIGKILL');
    await started.done;
    const { stdout } = await must(project.agov('agent', 'revoke', 'orphaned', '--reason', 'test', '--json'));
    const leases = JSON.parse(stdout).steps.find((one: { step: string }) => one.step === 'leases');
    expect(leases).toMatchObject({ ok: true, detail: '1 ended' });
  });

  it('lets a retired agent finish, and start nothing more', async () => {
    await must(project.agov('agent', 'add', 'veteran', '--tier', 'T1'));
    const started = project.start(['run', '--agent', 'veteran', '--', 'sh', '-c', 'echo ready; sleep 1.5; echo end']);
    await started.printed('ready');
    await must(project.agov('agent', 'retire', 'veteran'));
    expect(await started.done).toMatchObject({ code: 0, stdout: 'ready\nend\n' });
    expect((await run('veteran', 'true')).code).toBe(77);
  });
});
