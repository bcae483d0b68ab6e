/** An identity that cannot be trusted any more, told so that callers can act on it. */
import { AgovError } from '../../../../kernel/index.ts';

/** For machines: `details.reason`. */
type Tampering = 'opened' | 'path' | 'entity' | 'policies';

export function tampered(agent: string, reason: Tampering, why: string): AgovError {
  return new AgovError('IDENTITY_TAMPERED', {
    what: `The identity of "${agent}" was tampered with.`,
    why,
    fix: `Find out who in Vault's audit log, then: agov thaw ${agent} --reason "…"`,
    details: { reason },
  });
}
