/** The program `agov` inside a sandbox: of agov's commands, the one that an agent may use there. */
import { runAct } from './shell/act.ts';
import { actHelp } from './shell/help.ts';

const [word, ...rest] = process.argv.slice(2);
if (word === 'act' && !['help', '--help', '-h', undefined].includes(rest[0])) {
  process.exitCode = await runAct(rest, { stdout: process.stdout, stderr: process.stderr, environment: process.env });
} else {
  const asked = word === 'act' || word === 'help' || word === '--help';
  const stream = asked ? process.stdout : process.stderr;
  stream.write(asked ? actHelp : `agov: Inside a sandbox there is "agov act" alone.\n${actHelp}`);
  process.exitCode = asked ? 0 : 64;
}
