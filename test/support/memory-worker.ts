/**
 * Logs entries until it has logged enough or is killed, and prints each id once it has it. Arguments: file, how many, how
 * many lines each has, and `gc` where it tidies up after each of them, or once where it logs none.
 */
import { writeSync } from 'node:fs';
import { openMemory } from '../../src/context/memory/index.ts';
import { idSource, systemEnv } from '../../src/kernel/index.ts';

const [path = '', count = '0', lines = '1', gc] = process.argv.slice(2);
const env = systemEnv();
await using memory = await openMemory({ path, env, ids: idSource(env) });

for (let n = 0; n < Number(count); n++) {
  const mark = `entry ${process.pid} ${n}`;
  const text = Array.from({ length: Number(lines) }, (_, i) => `${mark} line ${i} ${'filler '.repeat(10)}\n`).join('');
  const source = async function* (): AsyncGenerator<Uint8Array> {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
  };
  const { id } = await memory.log('project', { operator: 'ada' }, source(), { title: mark });
  // Synchronously, so that what was acknowledged is known whenever the end comes.
  writeSync(1, `${id} ${mark}\n`);
  if (gc !== undefined) await memory.gc();
}
if (gc !== undefined) await memory.gc();
