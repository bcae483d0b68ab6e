/** An Ed25519 key in Vault's transit engine: https://developer.hashicorp.com/vault/api-docs/secret/transit */
import type { z } from 'zod';
import { AgovError, isAgovError } from '../../../kernel/index.ts';
import { type Call, garbled, type Request, shaped, type Vault } from '../../vault-client/index.ts';
import type { Signer } from '../port.ts';
import { keyAnswer, publicKeyOf, signatureAnswer } from './answers.ts';

export interface VaultSignerOptions {
  readonly vault: Vault;
  /** Where transit is mounted. */
  readonly mount: string;
  /** The key's name there. */
  readonly key: string;
  /** That of the client. */
  readonly deadlineMs: number;
}

export function vaultSigner({ vault, mount, key, deadlineMs }: VaultSignerOptions): Signer {
  const name = `${mount}/${key}`;

  const ask = async <T>(request: Request, shape: z.ZodType<T>, fix: string, signal?: AbortSignal): Promise<T> => {
    const work = async (call: Call): Promise<T> => {
      const both = signal ? { ...call, signal: AbortSignal.any([call.signal, signal]) } : call;
      const answer = await vault.send(both, request, 400, 404);
      if (answer.status < 300) return shaped(request.path, answer, shape);
      const words = vault.said(answer);
      throw invalidKey(
        `Vault refused ${request.path}.`,
        words === '' ? 'There is no such key.' : `It says: ${words}.`,
        fix,
      );
    };
    return vault.within(work).catch((error: unknown) => {
      // Node has its own words for an abort; the caller's say why.
      throw signal?.aborted && !isAgovError(error) ? signal.reason : unsigned(error);
    });
  };

  const keyPath = `${mount}/keys/${key}`;
  const read = async (signal: AbortSignal | undefined) => {
    const fix = `Make it (vault secrets enable -path=${mount} transit; vault write ${keyPath} type=ed25519), or correct ledger.transit in agov.yaml.`;
    const { data } = await ask({ method: 'GET', path: keyPath }, keyAnswer, fix, signal);
    if (data.type === 'ed25519' && !data.derived) return data;
    const kind = data.derived ? `a derived key (${data.type})` : `of type ${data.type}`;
    throw invalidKey(`The key ${name} in Vault cannot sign the ledger.`, `It is ${kind}, and must be ed25519.`, fix);
  };

  return {
    place: `${name} of Vault's transit engine at ${vault.address}`,
    deadlineMs,
    async newest(signal) {
      const { latest_version: version, keys } = await read(signal);
      const publicKey = publicOf(keys[version]);
      if (!publicKey) throw unsigned(garbled(keyPath, `It holds no public key of version ${version}.`));
      return { version, publicKey };
    },
    async versionOf(publicKey, signal) {
      const { keys } = await read(signal);
      const [version] = Object.entries(keys).find(([, key]) => sameBytes(publicOf(key), publicKey)) ?? [];
      return version === undefined ? undefined : Number(version);
    },
    async sign(text, version, signal) {
      const path = `${mount}/sign/${key}`;
      const body = { input: Buffer.from(text).toString('base64'), key_version: version };
      const fix = `Restore version ${version} of ${name} from Vault's backup, and keep min_encryption_version of it at ${version} or less: a ledger is not continued with another key.`;
      const { data } = await ask({ method: 'POST', path, body }, signatureAnswer, fix, signal);
      const { signature } = data;
      if (signature.version === version) return signature.bytes;
      throw invalidKey(
        `Vault signed with version ${signature.version} of ${name}.`,
        `The ledger was made with version ${version}, and asked for that.`,
        fix,
      );
    },
  };
}

function publicOf(version: unknown): Uint8Array | undefined {
  return publicKeyOf.safeParse(version).data?.public_key;
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}

function invalidKey(what: string, why: string, fix: string): AgovError {
  return new AgovError('KEY_INVALID', { what, why, fix });
}

/** The client speaks of secrets; here it is the record that cannot go on. */
function unsigned(error: unknown): unknown {
  if (!isAgovError(error, 'SECRETS_UNAVAILABLE')) return error;
  const { what, why, fix, details } = error;
  return new AgovError('LEDGER_UNAVAILABLE', {
    what: 'The ledger’s head cannot be signed.',
    why: [what, why].filter(Boolean).join(' '),
    ...(fix && { fix }),
    ...(details && { details }),
    cause: error,
  });
}
