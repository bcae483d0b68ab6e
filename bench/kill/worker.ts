/** A governor with agents at work: `node worker.ts PROJECT COMMAND AGENT…`. Prints `ready` when all of them run. */
import { openApp } from '../../src/app/index.ts';

const [project = '', sleepFor = '', ...agents] = process.argv.slice(2);

await using app = openApp({ from: project, environment: process.env });
const exec = await app.exec();
let started = 0;
await Promise.all(
  agents.map((agent) =>
    exec({
      channel: { agent, run: app.ids(), workspace: project },
      argv: ['sleep', sleepFor],
      stdin: 'none',
      onStart: () => {
        started += 1;
        if (started === agents.length) process.stdout.write('ready\n');
      },
    }),
  ),
);
