/** The identities contract on a live Vault, under a prefix and in a mount that are there for this alone. */
import { afterAll } from 'vitest';
import { governors } from '../../../../../test/support/vault/governors.ts';
import { builtinLayout } from '../../../../../test/support/vault/index.ts';
import { describeLive, takenAway } from '../../../../../test/support/vault/live.ts';
import { systemEnv } from '../../../../kernel/index.ts';
import { identitiesContract } from '../../contract.ts';
import { vaultNames } from '../names.ts';

describeLive('identities', (live) => {
  const env = systemEnv();
  const names = vaultNames(`agovtest${live.mark}`);
  const mount = `agov-test-${live.mark}`;
  afterAll(() => takenAway(live, names, mount));

  identitiesContract('live Vault', async () => {
    const layout = await builtinLayout(live.vault, env, { prefix: names.prefix, mount });
    for (const one of await layout.differences()) await layout.mend(one);
    return governors(live.vault, { names, mount, env });
  });
});
