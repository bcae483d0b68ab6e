/**
 * Puts optional packages of other platforms back into package-lock.json. npm leaves out those that a partial mirror of the
 * registry does not have, and then refuses its own lock file: `npm ci` says "Missing: … from lock file". Run it after
 * `npm install` behind such a mirror; elsewhere it changes nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));
const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32', 'sunos', 'aix', 'netbsd', 'openbsd'];
const processors = ['arm64', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'arm'];
let added = 0;

for (const [, from] of Object.entries({ ...lock.packages })) {
  for (const [name, version] of Object.entries(from.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    const words = name.split('/').at(-1).split('-');
    const os = systems.filter((system) => words.includes(system));
    const cpu = processors.filter((processor) => words.includes(processor)).slice(0, 1);
    if (key in lock.packages || os.length === 0 || !/^\d/.test(version)) continue;
    const musl = words.some((word) => word.startsWith('musl'));
    const libc = os[0] === 'linux' ? { libc: [musl ? 'musl' : 'glibc'] } : {};
    lock.packages[key] = { version, cpu, ...(from.dev ? { dev: true } : {}), ...libc, optional: true, os };
    added += 1;
  }
}

const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
lock.packages = Object.fromEntries(sorted);
if (added > 0) writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} packages added`);
