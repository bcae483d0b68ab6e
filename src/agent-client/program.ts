/** The program `agov` inside a sandbox: of agov's commands, those that an agent may use there. */
import { runAct } from './shell/act.ts';
import { runContext } from './shell/context.ts';
import { actHelp } from './shell/help.ts';

const [word, ...rest] = process.argv.slice(2);
if (word === 'act' && !['help', '--help', '-h', undefined].includes(rest[0])) {
  process.exitCode = await runAct(rest, { stdout: process.stdout, stderr: process.stderr, environment: process.env });
} else if (word === 'mcp' && rest[0] === 'context') {
  // Options say who acts where an operator starts it. Here the socket does.
  const { stdin, stdout, stderr, env } = process;
  process.exitCode = await runContext({ stdin, stdout, stderr, environment: env });
} else {
  const asked = word === 'act' || word === 'help' || word === '--help';
  const stream = asked ? process.stdout : process.stderr;
  stream.write(
    asked ? actHelp : `agov: Inside a sandbox there are "agov act" and "agov mcp context" alone.\n${actHelp}`,
  );
  process.exitCode = asked ? 0 : 64;
}
