/**
 * Puts the servers behind breakers. A file of ours gets none: it answers in microseconds, or its disk is the trouble. A
 * server that cannot be opened counts as one that does not answer.
 */
import type { Identities } from '../../adapters/authority/port.ts';
import type { Model } from '../../adapters/models/port.ts';
import type { Secrets } from '../../adapters/secrets/port.ts';
import type { Signer } from '../../adapters/signer/port.ts';
import type { State } from '../../adapters/state/port.ts';
import type { Env } from '../../kernel/index.ts';
import type { Breaker, BreakerStatus, Urgency } from '../../runtime/breakers/index.ts';
import { once } from '../frame.ts';

/** Opens a server's store behind its breaker. */
export interface Guards {
  state(open: () => Promise<State>): Promise<State>;
  secrets(open: () => Promise<Secrets>): Promise<Secrets>;
  signer(open: () => Signer): Promise<Signer>;
}

export interface Breakers {
  readonly held: Guards;
  /** For revocations. */
  readonly urgent: Guards;
  /** Behind the breaker of the secrets, which the same server keeps and refuses with the same codes. */
  identities(open: () => Identities): Promise<Identities>;
  /** Each model behind its own: one provider’s trouble holds back no other. */
  model(open: () => Promise<Model>): Promise<Model>;
  breakers(): readonly BreakerStatus[];
}

export function openBreakers(env: Env): Breakers {
  const made: Breaker[] = [];
  // Loaded where a server is configured, since every start would pay for it.
  const load = (): Promise<typeof import('../../runtime/breakers/index.ts')> =>
    import('../../runtime/breakers/index.ts');
  const stateBreaker = once(async () => {
    const { isStateOutage, openBreaker } = await load();
    return keep(openBreaker({ name: 'state', env, isOutage: isStateOutage }));
  });
  const secretsBreaker = once(async () => {
    const { isVaultOutage, openBreaker } = await load();
    return keep(openBreaker({ name: 'secrets', env, isOutage: isVaultOutage }));
  });
  const signerBreaker = once(async () => {
    const { isSigningOutage, openBreaker } = await load();
    return keep(openBreaker({ name: 'signer', env, isOutage: isSigningOutage }));
  });
  const keep = (breaker: Breaker): Breaker => {
    made.push(breaker);
    return breaker;
  };

  const guards = (urgency: Urgency): Guards => ({
    async state(open) {
      const breaker = await stateBreaker();
      const { guardState } = await load();
      const store = await (urgency === 'urgent' ? breaker.pass(open) : breaker.call(open));
      return guardState(store, breaker, urgency);
    },
    async secrets(open) {
      const breaker = await secretsBreaker();
      const { guardSecrets } = await load();
      return guardSecrets(await open(), breaker, urgency);
    },
    async signer(open) {
      const breaker = await signerBreaker();
      const { guardSigner } = await load();
      return guardSigner(open(), breaker, urgency);
    },
  });

  return {
    held: guards('held'),
    urgent: guards('urgent'),
    async identities(open) {
      const breaker = await secretsBreaker();
      const { guardIdentities } = await load();
      return guardIdentities(open(), breaker);
    },
    async model(open) {
      const { guardModel, isModelOutage, openBreaker } = await load();
      const model = await open();
      return guardModel(model, keep(openBreaker({ name: `model ${model.name}`, env, isOutage: isModelOutage })));
    },
    breakers: () => made.map((breaker) => breaker.status()),
  };
}
