/** Preloaded into a process: SIGKILL at its n-th database commit, just before it or just after (`KILL_AT=7:before`). */
import { DatabaseSync } from 'node:sqlite';

const [at, when] = (process.env.KILL_AT ?? '0:before').split(':');
let commits = 0;

function around(commit) {
  commits += 1;
  if (commits === Number(at) && when === 'before') process.kill(process.pid, 'SIGKILL');
  const result = commit();
  if (commits === Number(at) && when === 'after') process.kill(process.pid, 'SIGKILL');
  return result;
}

const { exec, prepare } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (sql) {
  return /^\s*COMMIT/i.test(sql) ? around(() => exec.call(this, sql)) : exec.call(this, sql);
};
DatabaseSync.prototype.prepare = function (sql, ...rest) {
  const statement = prepare.call(this, sql, ...rest);
  if (/^\s*COMMIT/i.test(sql)) {
    const { run } = statement;
    statement.run = (...values) => around(() => run.apply(statement, values));
  }
  return statement;
};
