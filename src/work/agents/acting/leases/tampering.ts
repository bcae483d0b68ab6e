/**
 * Tampering that is on record and that the authority may not know of, since it was away when it was told. Whatever
 * suspends or restores an identity asks the ledger first, so that a thaw makes it anew: until then whoever got a token of
 * it still has one.
 */
import type { Identities } from '../../../../adapters/authority/port.ts';
import { everyEntry, type Ledger } from '../../../../governance/ledger/index.ts';

/** What the violation's entry says. */
export const tamperedWith = 'tampered with the identity';

/** Whether the agent's identity was tampered with and has not been made anew since. */
export function isTampered(ledger: Ledger, agent: string): boolean {
  let last = -1;
  for (const { seq, body } of everyEntry(ledger, { kinds: ['violation'], agent })) {
    if (body['what'] === tamperedWith) last = seq;
  }
  if (last < 0) return false;
  for (const { body } of everyEntry(ledger, { kinds: ['authority'], agent, after: last })) {
    if (body['step'] === 'renewed') return false;
  }
  return true;
}

export function rememberTampering(identities: Identities, ledger: () => Promise<Ledger>): Identities {
  return {
    ...identities,
    async suspend(agent, cause) {
      return cause || isTampered(await ledger(), agent)
        ? identities.suspend(agent, 'tampered')
        : identities.suspend(agent);
    },
    async restore(agent) {
      const log = await ledger();
      if (!isTampered(log, agent)) return identities.restore(agent);
      await identities.suspend(agent, 'tampered');
      const restored = await identities.restore(agent);
      // After it: what is cut short here is made anew once more, which harms nobody.
      await log.append({ kind: 'authority', agent, body: { step: 'renewed' } });
      return restored;
    },
  };
}
