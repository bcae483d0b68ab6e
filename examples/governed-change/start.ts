/**
 * `npm start`: clones this repository into a throw-away folder, puts three agents to work on it under their tiers, and
 * shows what was decided. It only uses the command line, and prints each command, so that you can do the same.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../..', import.meta.url));
const main = join(source, 'dist', 'main.js');
const place = mkdtempSync(join(tmpdir(), 'agov-governed-change-'));
const project = join(place, 'project');
const arguments_ = new Set(process.argv.slice(2));
const environment: NodeJS.ProcessEnv = { ...process.env, XDG_CONFIG_HOME: join(place, 'keys') };
const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true && !arguments_.has('--yes');

say('Three agents are about to change a real git repository, each within its tier.');
say(`Everything happens in ${place}, a throw-away folder.`);

clone();
agov('init', '--operator', 'demo');
git('add', 'agov.yaml', 'policies', '.gitignore');
git('commit', '--quiet', '--message', 'Govern this project');
chooseSandbox();
agov('agent', 'add', 'observer');
agov('agent', 'add', 'executor', '--tier', 'T1');
agov('agent', 'add', 'admin', '--tier', 'T2');

if (!interactive) {
  say('No terminal, or --yes: the merge is approved by the operator of agov.yaml ("demo"), and recorded as such.');
}
const code = agovMayFail(
  'pipeline',
  'run',
  'examples/governed-change/pipeline.yaml',
  '--output',
  ...(interactive ? [] : ['--yes']),
);
say('');
say('What came of it in git:');
git('--no-pager', 'log', '--oneline', '--no-decorate', '--max-count=3');
say('');
say('Look around:');
say(`  cd ${project} && export XDG_CONFIG_HOME=${environment['XDG_CONFIG_HOME']}`);
say('  agov ledger tail                     what was asked, decided and done');
say('  agov explain --agent observer fs.write README.md');
say('  agov ledger verify                   check every byte of the record');
process.exit(code);

function clone(): void {
  if (existsSync(join(source, '.git'))) {
    run('git', ['clone', '--quiet', '--no-hardlinks', source, project], place);
  } else {
    mkdirSync(project);
    const kept = (path: string): boolean => !/(^|\/)(node_modules|dist|\.agov)$/.test(path);
    cpSync(source, project, { recursive: true, filter: kept });
    run('git', ['init', '--quiet'], project);
    git('add', '--all');
  }
  git('config', 'user.name', 'demo');
  git('config', 'user.email', 'demo@agov.local');
  git('checkout', '--quiet', '-B', 'main');
}

/** On a machine without a working sandbox: says what is missing, and goes on in plain sight. */
function chooseSandbox(): void {
  const doctor = spawnSync(process.execPath, [main, 'sandbox', 'check'], {
    cwd: project,
    env: environment,
    encoding: 'utf8',
  });
  if (doctor.status === 0) return;
  say('');
  say('!! No sandbox on this machine. What follows is decided and recorded, but NOT contained.');
  for (const line of doctor.stderr.trim().split('\n')) say(`!! ${line}`);
  say('');
  environment['AGOV_SANDBOX'] = 'none';
}

function agov(...args: string[]): void {
  const code = agovMayFail(...args);
  if (code !== 0) process.exit(code);
}

function agovMayFail(...args: string[]): number {
  say(`$ agov ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, [main, ...args], { cwd: project, env: environment, stdio: 'inherit' });
  return status ?? 1;
}

function git(...args: string[]): void {
  run('git', args, project);
}

function run(program: string, args: readonly string[], cwd: string): void {
  const { status, error } = spawnSync(program, args, { cwd, env: environment, stdio: 'inherit' });
  if (status === 0) return;
  say(
    `${program} ${args[0]} failed${error ? `: ${error.message}` : ''}. It must be installed: apt-get install ${program}`,
  );
  process.exit(1);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
