/** What a process in the sandbox can do with its socket, and what it cannot: real agents, real sandboxes. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';

let project: TestProject;
beforeAll(async () => {
  project = await testProject({ obs: 'T0', bob: 'T1', eve: 'T1', doomed: 'T1' });
});
afterAll(() => project[Symbol.dispose]());

const sh = (agent: string, script: string) => project.agov('run', '--agent', agent, '--', 'sh', '-c', script);
const of = async (kind: string, agent: string) =>
  (await project.entries()).filter((entry) => entry.kind === kind && entry.agent === agent);
/** Runs a module as an agent. */
const node = (agent: string, code: string, ...args: string[]) => {
  writeFileSync(join(project.root, 'attempt.mjs'), code);
  return project.agov('run', '--agent', agent, '--', 'node', 'attempt.mjs', ...args);
};

describeWith('bwrap', 'agov act', () => {
  it('asks as the agent, and all that it asks for is below the command that asks', async () => {
    const done = await must(
      sh(
        'bob',
        'agov act whoami && agov act fs.write --arg path=a.txt --arg content=yes && agov act exec -- cat a.txt',
      ),
    );
    expect(done.stdout).toMatch(/^bob \(T1\), run [0-9a-f-]{36}/);
    expect(done.stdout).toMatch(/yes$/m);
    const [run, write, exec] = (await of('intent', 'bob')).slice(-3);
    expect([write?.parent, exec?.parent]).toEqual([run?.id, run?.id]);
    expect([write?.run, exec?.run]).toEqual([run?.run, run?.run]);
  });

  it('is refused what the tier may not do, with the reasons, and it is on record', async () => {
    const done = await sh('obs', 'agov act fs.write --arg path=b.txt --arg content=no; echo "exit $?"');
    expect(done.stdout).toBe('exit 77\n');
    expect(done.stderr).toContain('You may not do this.\n  why: T0 Observer may not fs.write');
    expect(existsSync(join(project.root, 'b.txt'))).toBe(false);
    expect((await of('intent', 'obs')).at(-1)?.body).toMatchObject({ decision: { verdict: 'deny' } });
  });

  it('is told which approval it needs', async () => {
    const done = await sh('bob', 'agov act git.merge --arg branch=x --arg into=main --json; echo "exit $?"');
    expect(done.stdout).toMatch(/^exit (66|77)$/m);
    const commit = await sh('bob', 'agov act git.comit --json');
    expect(JSON.parse(commit.stderr)).toMatchObject({
      error: { code: 'NOT_FOUND', fix: 'Did you mean "git.commit"?' },
    });
  });

  it('holds a lock as long as its command runs', async () => {
    const script =
      'agov act lock the-table -- sh -c \'echo "token $AGOV_LOCK_TOKEN"; agov act locks | grep -c the-table; exit 3\'; echo "exit $?"; agov act locks | grep -c the-table';
    const done = await sh('bob', script);
    expect(done.stdout).toMatch(/^token \d+\n1\nexit 3\n0\n$/);
  });

  it('keeps a secret of a command out of what it answers', async () => {
    await must(project.agovWith('hunter2hunter2', 'secret', 'set', 'dev/key'));
    const done = await must(sh('bob', 'agov act exec --secret KEY=dev/key -- sh -c "echo key=\\$KEY"'));
    expect(done.stdout).not.toContain('hunter2');
    expect(done.stdout).toMatch(/^key=./);
  });

  it('is the one command of agov that there is', async () => {
    const done = await sh('bob', 'agov agent list; echo "exit $?"; agov kill eve; echo "exit $?"');
    expect(done.stdout).toBe('exit 64\nexit 64\n');
  });

  it('says outside of a governed process that there is nobody to ask', async () => {
    const done = await project.agov('act', 'whoami');
    expect(done).toMatchObject({ code: 69, stderr: expect.stringContaining('AGOV_SOCKET is not set') });
  });
});

describeWith('bwrap', 'a process that wants to be somebody else', () => {
  it('changes nothing by its environment', async () => {
    const done = await must(sh('bob', 'AGOV_AGENT=eve AGOV_RUN=x agov act whoami --json'));
    expect(JSON.parse(done.stdout)).toMatchObject({ agent: 'bob', tier: 'T1' });
  });

  it('that takes another address for its socket speaks to nobody, or to itself', async () => {
    const done = await sh('bob', 'AGOV_SOCKET=/tmp/none agov act whoami; echo "exit $?"');
    expect(done.stdout).toBe('exit 69\n');
    const fake = `import { createServer } from 'node:http';
      import { execFileSync, spawn } from 'node:child_process';
      createServer((_, response) => response.end('{"agent":"eve","tier":"T4","run":"r","workspace":"/"}'))
        .listen('/tmp/fake', () => {
          const env = { ...process.env, AGOV_SOCKET: '/tmp/fake' };
          spawn('agov', ['act', 'whoami'], { env, stdio: 'inherit' }).on('exit', () => process.exit());
        });`;
    expect((await node('bob', fake)).stdout).toContain('eve (T4)');
    expect((await of('intent', 'bob')).at(-1)?.body).toMatchObject({ resource: 'node' });
  });

  it('cannot replace the socket for what comes after it', async () => {
    const done = await sh(
      'bob',
      'rm -f /run/agov/socket; mv /run/agov/socket /tmp/x; (: > /run/agov/lib/client.ts); agov act whoami',
    );
    expect(done.stdout).toContain('bob (T1)');
  });

  it('finds no socket of another', async () => {
    const eve = project.start(['run', '--agent', 'eve', '--', 'sh', '-c', 'echo ready; sleep 60']);
    await eve.printed('ready');
    const paths = readdirSync(tmpdir())
      .filter((name) => name.startsWith('agov-agent-'))
      .map((name) => join(tmpdir(), name, 'socket'));
    expect(paths.length).toBeGreaterThan(0);
    const attempt = `import { connect } from 'node:net';
      import { existsSync, readdirSync } from 'node:fs';
      for (const path of process.argv.slice(2)) {
        connect(path).on('connect', () => console.log('reached', path)).on('error', ({ code }) => console.log(code));
      }
      console.log('tmp', readdirSync('/tmp').filter((name) => name.startsWith('agov-agent')).length, 'mine', existsSync(process.env.AGOV_SOCKET));`;
    const done = await must(node('bob', attempt, ...paths));
    expect(done.stdout).not.toContain('reached');
    expect(done.stdout.match(/ENOENT/g)).toHaveLength(paths.length);
    expect(done.stdout).toContain('tmp 0 mine true');
    eve.child.kill('SIGTERM');
    await eve.done;
  });

  it('that was started by another command of the agent has a socket of its own', async () => {
    const done = await must(sh('bob', 'agov act whoami --json; agov act exec -- agov act whoami --json'));
    const [outer, inner] = done.stdout
      .split(/(?<=^\})\n/m)
      .filter(Boolean)
      .map((text) => JSON.parse(text));
    expect(inner.run).toBe(outer.run);
    expect(inner.intent).not.toBe(outer.intent);
    const entry = (await project.entries()).find(({ id }) => id === inner.intent);
    expect(entry?.parent).toBe(outer.intent);
  });

  it('that outlives its command has nobody to ask', async () => {
    const script = 'setsid sh -c "sleep 0.5; agov act board set late 1; echo late > late.txt" >/dev/null 2>&1 & exit 0';
    await must(sh('bob', script));
    expect(
      readdirSync(tmpdir()).filter(
        (name) => name.startsWith('agov-agent-') && existsSync(join(tmpdir(), name, 'late')),
      ),
    ).toEqual([]);
    expect(existsSync(join(project.root, 'late.txt'))).toBe(false);
  });

  it('cannot start more by asking itself for commands without end', async () => {
    writeFileSync(join(project.root, 'deep.sh'), 'agov act exec -- sh deep.sh 2>&1 || echo refused >&2\n');
    const before = (await of('intent', 'bob')).length;
    await sh('bob', 'sh deep.sh');
    expect((await of('intent', 'bob')).length - before).toBe(17);
  });
});

describeWith('bwrap', 'a project that shows all of /opt', () => {
  it('has the socket and the library all the same', async () => {
    using own = await testProject({ bob: 'T1' });
    const file = join(own.root, 'agov.yaml');
    writeFileSync(file, `${readFileSync(file, 'utf8')}\nreadOnly: [/opt]\n`);
    const done = await must(
      own.agov('run', '--agent', 'bob', '--', 'sh', '-c', 'test -S $AGOV_SOCKET && ls /run/agov/lib'),
    );
    expect(done.stdout).toContain('client');
  });
});

describeWith('bwrap', 'a kill', () => {
  it('ends what the agent has asked for with the agent', async () => {
    const run = project.start([
      'run',
      '--agent',
      'doomed',
      '--',
      'sh',
      '-c',
      'agov act lock the-table -- sh -c "echo ready; agov act exec -- sleep 60"',
    ]);
    await run.printed('ready');
    await expect.poll(async () => (await of('intent', 'doomed')).length).toBe(3);
    await must(project.agov('kill', 'doomed', '--reason', 'test'));
    expect((await run.done).code).toBe(137);
    const intents = (await of('intent', 'doomed')).map(({ id }) => id);
    const ended = (await of('outcome', 'doomed')).map(({ parent }) => parent);
    expect(new Set(ended)).toEqual(new Set(intents));
    const again = await sh('bob', 'agov act lock db -- true');
    expect(again.code).toBe(0);
  });
});

describeWith('bwrap', 'an observer whose programs are listed', () => {
  it('may ask for no other, and it is on record', async () => {
    using own = await testProject({ obs: 'T0' });
    const file = join(own.root, 'agov.yaml');
    writeFileSync(file, `${readFileSync(file, 'utf8')}\ntools: { T0: [sh, agov] }\n`);
    const done = await own.agov(
      'run',
      '--agent',
      'obs',
      '--',
      'sh',
      '-c',
      'agov act exec -- node -e 1; echo "exit $?"; agov act explain -- node -e 1',
    );
    expect(done.stdout).toMatch(/^exit 77\ndeny\n/);
    const [outer, inner] = (await own.entries()).filter(({ kind }) => kind === 'intent');
    expect(inner).toMatchObject({
      parent: outer?.id,
      body: { action: 'process.exec', resource: 'node', decision: { verdict: 'deny' } },
    });
  });
});

describe('without a sandbox', () => {
  it('there is the same socket, by its own path', async () => {
    using own = await testProject({ bob: 'T1' });
    own.environment['AGOV_SANDBOX'] = 'none';
    const client = join(import.meta.dirname, '../../src/agent-client/index.ts');
    writeFileSync(
      join(own.root, 'ask.mjs'),
      `const { connect } = await import(${JSON.stringify(client)});
       const agent = connect();
       console.log((await agent.whoami()).agent, (await agent.board.set('a', 1)).verdict);`,
    );
    const done = await must(own.agov('run', '--agent', 'bob', '--', 'node', 'ask.mjs'));
    expect(done.stdout).toBe('bob allow\n');
  });
});
