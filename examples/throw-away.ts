/** A throw-away clone of this repository with agov set up in it, for the examples. Each command is printed as it is run. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('..', import.meta.url));
const main = join(source, 'dist', 'main.js');

export interface ThrowAway {
  readonly project: string;
  /** Runs agov and ends the example where it fails. */
  agov(...args: string[]): void;
  /** Runs agov; the exit code. */
  agovMayFail(...args: string[]): number;
  /** Runs agov with `--json`, quietly; what it printed. */
  agovJson<T>(...args: string[]): T;
  git(...args: string[]): void;
  /** How to look around in it. */
  readonly enter: string;
}

/** `prepare` changes files of the clone before they are committed. */
export function throwAway(name: string, prepare: (project: string) => void = () => undefined): ThrowAway {
  const place = mkdtempSync(join(tmpdir(), `agov-${name}-`));
  const project = join(place, 'project');
  const environment: NodeJS.ProcessEnv = { ...process.env, XDG_CONFIG_HOME: join(place, 'keys') };
  say(`Everything happens in ${place}, a throw-away folder.`);

  const git = (...args: string[]): void => run('git', args, project, environment);
  const agovMayFail = (...args: string[]): number => {
    say(`$ agov ${args.map((arg) => (/[\s"]/.test(arg) ? `'${arg}'` : arg)).join(' ')}`);
    const options = { cwd: project, env: environment, stdio: 'inherit' } as const;
    return spawnSync(process.execPath, [main, ...args], options).status ?? 1;
  };
  const agov = (...args: string[]): void => {
    const code = agovMayFail(...args);
    if (code !== 0) process.exit(code);
  };
  const agovJson = <T>(...args: string[]): T => {
    const options = { cwd: project, env: environment, encoding: 'utf8' } as const;
    const { stdout, stderr } = spawnSync(process.execPath, [main, '--json', ...args], options);
    return JSON.parse(stdout || stderr);
  };

  clone(project, place, environment);
  git('config', 'user.name', 'demo');
  git('config', 'user.email', 'demo@agov.local');
  git('checkout', '--quiet', '-B', 'main');
  agov('init', '--operator', 'demo');
  prepare(project);
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Govern this project');
  chooseSandbox(project, environment);
  return {
    project,
    agov,
    agovMayFail,
    agovJson,
    git,
    enter: `cd ${project} && export XDG_CONFIG_HOME=${join(place, 'keys')} && alias agov='${process.execPath} ${main}'`,
  };
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function clone(project: string, place: string, environment: NodeJS.ProcessEnv): void {
  if (existsSync(join(source, '.git'))) {
    run('git', ['clone', '--quiet', '--no-hardlinks', source, project], place, environment);
    return;
  }
  mkdirSync(project);
  const kept = (path: string): boolean => !/(^|\/)(node_modules|dist|\.agov)$/.test(path);
  cpSync(source, project, { recursive: true, filter: kept });
  run('git', ['init', '--quiet'], project, environment);
}

/** On a machine without a working sandbox: says what is missing, and goes on in plain sight. */
function chooseSandbox(project: string, environment: NodeJS.ProcessEnv): void {
  const options = { cwd: project, env: environment, encoding: 'utf8' } as const;
  const check = spawnSync(process.execPath, [main, 'sandbox', 'check'], options);
  if (check.status === 0) return;
  say('');
  say('!! No sandbox on this machine. What follows is decided and recorded, but NOT contained.');
  for (const line of check.stderr.trim().split('\n')) say(`!! ${line}`);
  say('');
  environment['AGOV_SANDBOX'] = 'none';
}

function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): void {
  const { status, error } = spawnSync(program, args, { cwd, env, stdio: 'inherit' });
  if (status === 0) return;
  say(
    `${program} ${args[0]} failed${error ? `: ${error.message}` : ''}. It must be installed: apt-get install ${program}`,
  );
  process.exit(1);
}
