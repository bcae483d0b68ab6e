/** A process of its own on shared secrets: `node secrets-worker.ts PATH KEYPATH NAME TIMES` stores `NAME/0`, … and says so. */
import { openEmbeddedSecrets } from '../../src/adapters/secrets/embedded/index.ts';
import { idSource, Secret, systemEnv } from '../../src/kernel/index.ts';

const env = systemEnv();
const [path = '', keyPath = '', name = '', times = '0'] = process.argv.slice(2);
await using secrets = await openEmbeddedSecrets({ path, keyPath, env, ids: idSource(env) });
for (let i = 0; i < Number(times); i++) {
  await secrets.set(`${name}/${i}`, new Secret(`value of ${name} ${i}`));
  await secrets.set('shared', new Secret(name));
  await secrets.lease('shared', { ttlMs: 60_000, intent: name });
  process.stdout.write(`${name}/${i}\n`);
}
