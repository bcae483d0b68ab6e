/** What goes wrong with Vault, in sentences that name the address or the path and never a token or a value. */
import { AgovError, systemCode } from '../../kernel/index.ts';

/** For machines: `details.reason`. */
type Reason =
  | 'address'
  | 'capability'
  | 'certificate'
  | 'closed'
  | 'deadline'
  | 'engine'
  | 'garbage'
  | 'mount'
  | 'namespace'
  | 'redirect'
  | 'refused'
  | 'replica'
  | 'sealed'
  | 'server'
  | 'standby'
  | 'throttled'
  | 'token'
  | 'uninitialised'
  | 'unrevoked';

interface Text {
  readonly what: string;
  readonly why?: string;
  readonly fix: string;
}

export function unavailable(reason: Reason, text: Text, details: Readonly<Record<string, unknown>> = {}): AgovError {
  return new AgovError('SECRETS_UNAVAILABLE', { ...text, details: { reason, ...details } });
}

export function tooLarge(bytes: number): AgovError {
  return unavailable('garbage', {
    what: `Vault's answer is over ${bytes} bytes.`,
    fix: 'Check that secrets.vault.address in agov.yaml is a Vault server.',
  });
}

export function garbled(path: string, why: string): AgovError {
  return unavailable('garbage', {
    what: `The answer to ${path} is not what Vault answers.`,
    why,
    fix: 'Check that secrets.vault.address in agov.yaml is a Vault server, and that no proxy changes its answers.',
  });
}

export function tooLate(address: string, deadlineMs: number): AgovError {
  return unavailable('deadline', {
    what: `Vault at ${address} did not do it within ${deadlineMs} ms.`,
    fix: 'Check that the server answers (vault status); secrets.vault.deadline in agov.yaml sets the time.',
  });
}

export function closed(): AgovError {
  return unavailable('closed', { what: 'The connection to Vault has been closed.', fix: 'Open it again.' });
}

export function tokenRefused(fix: string): AgovError {
  return unavailable('token', {
    what: 'Vault does not accept the token.',
    why: 'It has expired, was revoked, or never was.',
    fix,
  });
}

/** OpenSSL's and Node's names for a certificate that is not believed. */
const certificateCodes =
  /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|HOSTNAME_MISMATCH|INVALID_(?:CA|PURPOSE))/;
const noTlsCodes = new Set(['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']);

/** Whether trying again is of no use: the name, the certificate or the protocol is wrong. */
export function isHopeless(error: unknown): boolean {
  const code = systemCode(error) ?? '';
  return code === 'ENOTFOUND' || certificateCodes.test(code) || noTlsCodes.has(code);
}

/** A connection that failed. Only its code is told: the rest of Node's text is not ours to vouch for. */
export function unreachable(address: string, error: unknown): AgovError {
  const code = systemCode(error) ?? 'no code';
  if (certificateCodes.test(code)) {
    return unavailable('certificate', {
      what: `The certificate of Vault at ${address} is not to be trusted.`,
      why: `TLS says: ${code}.`,
      fix: 'Name the file of its certificate authority in secrets.vault.caFile, and the host as the certificate names it.',
    });
  }
  if (noTlsCodes.has(code)) {
    return unavailable('certificate', {
      what: `What answers at ${address} does not speak TLS.`,
      why: `TLS says: ${code}.`,
      fix: 'Check the port and the scheme of secrets.vault.address in agov.yaml.',
    });
  }
  return unavailable('address', {
    what: `Vault at ${address} cannot be reached.`,
    why: `The connection failed: ${code}.`,
    fix: 'Check secrets.vault.address in agov.yaml, and that the server runs (vault status).',
  });
}
