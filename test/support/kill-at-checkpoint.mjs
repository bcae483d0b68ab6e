/**
 * Preloaded into a process: SIGKILL at its n-th write below `checkpoints/`, before it or with half of it written
 * (`KILL_AT=3:half`). Without `KILL_AT` it prints at its end how many there were.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [at, when] = (process.env.KILL_AT ?? '0:before').split(':');
const files = new Set();
let calls = 0;

function counted(call, half) {
  calls += 1;
  if (calls === Number(at)) {
    if (when === 'half') half?.();
    process.kill(process.pid, 'SIGKILL');
  }
  return call();
}

const isOurs = (path) => String(path).includes('/checkpoints/');
const { openSync, closeSync, renameSync, fsyncSync, writeSync, writeFileSync } = fs;
const { writeFile, rename } = fs.promises;
fs.openSync = (path, flags, ...rest) => {
  if (flags !== 'wx' || !isOurs(path)) return openSync(path, flags, ...rest);
  const file = counted(() => openSync(path, flags, ...rest));
  files.add(file);
  return file;
};
fs.closeSync = (file) => {
  files.delete(file);
  return closeSync(file);
};
fs.writeSync = (file, bytes, ...rest) => {
  if (!files.has(file)) return writeSync(file, bytes, ...rest);
  return counted(
    () => writeSync(file, bytes, ...rest),
    () => writeSync(file, bytes.subarray(0, bytes.length / 2)),
  );
};
fs.fsyncSync = (file) => (files.has(file) ? counted(() => fsyncSync(file)) : fsyncSync(file));
fs.renameSync = (from, to) => (isOurs(from) ? counted(() => renameSync(from, to)) : renameSync(from, to));
fs.promises.writeFile = (path, bytes, ...rest) => {
  if (!isOurs(path) || String(path).includes('/.compare-')) return writeFile(path, bytes, ...rest);
  return counted(
    () => writeFile(path, bytes, ...rest),
    () => writeFileSync(path, bytes.subarray(0, bytes.length / 2)),
  );
};
fs.promises.rename = (from, to) => (isOurs(from) ? counted(() => rename(from, to)) : rename(from, to));
syncBuiltinESMExports();

if (process.env.KILL_AT === undefined) process.on('exit', () => writeSync(2, `writes ${calls}\n`));
