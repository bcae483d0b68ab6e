/** Looks once whether the mount is what this adapter needs, so that a wrong one is named instead of found empty. */
import { type Call, garbled, mountAnswer, shaped, unavailable, type Vault } from '../../../vault-client/index.ts';

/** @throws AgovError SECRETS_UNAVAILABLE */
export async function checkMount(vault: Vault, call: Call, mount: string): Promise<void> {
  // Answered to every token that may do anything below the mount.
  const path = `sys/internal/ui/mounts/${mount}`;
  // A 403 says the same of a mount that is not there and of one that is not the token's to see.
  const answer = await vault.send(call, { method: 'GET', path }, 403, 404);
  if (answer.status === 403) throw await unseen(vault, call, mount);
  if (answer.status === 404) throw garbled(path, 'This Vault is older than 1.0, or no Vault.');
  const { type, options } = shaped(path, answer, mountAnswer).data;
  if (type !== 'kv' && type !== 'generic') {
    throw unavailable('mount', {
      what: `The mount ${mount} is a ${type} engine; agov keeps secrets in KV version 2.`,
      fix: `Name a KV mount in secrets.vault.mount, or make one: vault secrets enable -path=agov -version=2 kv`,
    });
  }
  if (type === 'kv' && options?.['version'] === '2') return;
  throw unavailable('mount', {
    what: `The mount ${mount} is KV version 1; agov needs version 2.`,
    why: 'Version 1 keeps no versions and has no check-and-set.',
    fix: `Run: vault kv enable-versioning ${mount}/`,
  });
}

async function unseen(vault: Vault, call: Call, mount: string) {
  const has = await vault.capabilities(call, `${mount}/metadata/dev/x`);
  if (has.includes('root') || has.includes('read')) {
    return unavailable('mount', {
      what: `There is no mount ${mount} in Vault.`,
      fix: `Name the right one in secrets.vault.mount, or make it: vault secrets enable -path=${mount} -version=2 kv`,
    });
  }
  return unavailable(
    'capability',
    {
      what: `The token may see nothing below ${mount}/ in Vault.`,
      why: 'The mount does not exist, or no policy of the token names a path in it.',
      fix: `Make the mount, or add to a policy: path "${mount}/data/*" { capabilities = ["create", "read", "update"] }`,
    },
    { path: `${mount}/data/*`, capability: ['read'] },
  );
}
