/** Updates one status so many times, and prints each task once it is there. Arguments: project, directory, name, how often. */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { openStatus } from '../../src/context/status/index.ts';
import { idSource, systemEnv } from '../../src/kernel/index.ts';

const [root = '', directory = '', name = '', count = '1'] = process.argv.slice(2);
const env = systemEnv();
const history = async () => ({ ok: false, why: 'Nobody asks.' }) as const;
const config = { ignore: [], track: {}, quiet: '14d' };
await using status = openStatus({ root, data: join(root, '.agov'), config, env, ids: idSource(env), history });

for (let n = 0; n < Number(count); n++) {
  const task = `${name} ${n}`;
  await status.update(join(root, directory), { by: name, tasks: [task], done: [task], note: `did ${task}` });
  // Synchronously, so that what was acknowledged is known whenever the end comes.
  writeSync(1, `${task}\n`);
}
