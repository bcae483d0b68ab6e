/**
 * Preloaded into a process: SIGKILL at its n-th call that changes a file, before it, after it, or with half of it written
 * (`KILL_AT=3:half`). Only calls that name `KILL_NAME`, and those on files that such a call opened, are counted. Without
 * `KILL_AT` the process prints at its end which they were (`writes openSync fsyncSync …`).
 */
import fs, { writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [at, when] = (process.env.KILL_AT ?? '0:before').split(':');
const name = process.env.KILL_NAME ?? '';
const files = new Set();
const calls = [];

function counted(verb, call, half) {
  calls.push(verb);
  const now = calls.length === Number(at);
  if (now && when === 'before') process.kill(process.pid, 'SIGKILL');
  if (now && when === 'half') {
    half?.();
    process.kill(process.pid, 'SIGKILL');
  }
  const result = call();
  if (now && when === 'after') process.kill(process.pid, 'SIGKILL');
  return result;
}

const meant = (value) => (typeof value === 'number' ? files.has(value) : String(value).includes(name));

for (const verb of ['writeFileSync', 'fsyncSync', 'fchmodSync', 'renameSync', 'linkSync', 'rmSync']) {
  const real = fs[verb];
  fs[verb] = (...args) => {
    if (!meant(args[0])) return real(...args);
    const half =
      verb === 'writeFileSync' ? () => writeSync(args[0], args[1].subarray(0, args[1].length / 2)) : undefined;
    return counted(verb, () => real(...args), half);
  };
}
const { openSync, closeSync } = fs;
fs.openSync = (...args) => {
  const writes = typeof args[1] === 'number' && (args[1] & fs.constants.O_CREAT) !== 0;
  if (!writes || !meant(args[0])) return openSync(...args);
  const file = counted('openSync', () => openSync(...args));
  files.add(file);
  return file;
};
fs.closeSync = (file) => {
  files.delete(file);
  return closeSync(file);
};
syncBuiltinESMExports();

if (process.env.KILL_AT === undefined) process.on('exit', () => writeSync(1, `writes ${calls.join(' ')}\n`));
