/** What Vault's transit engine answers, parsed to the bytes that are meant. */
import { z } from 'zod';

const text = z.string();

export const keyAnswer = z.object({
  data: z.object({
    type: text,
    derived: z.boolean().default(false),
    latest_version: z.int().min(1),
    // Of a symmetric key these are times.
    keys: z.record(text, z.unknown()),
  }),
});

export const publicKeyOf = z.object({ public_key: text.transform(bytesOf(32)) });

/** Vault puts the key's version before the signature: `vault:v1:` and base64. */
export const signatureAnswer = z.object({
  data: z.object({
    signature: text.transform((written, context) => {
      const [, version, encoded] = /^vault:v([1-9]\d{0,8}):(.+)$/.exec(written) ?? [];
      if (version !== undefined && encoded !== undefined) {
        return { version: Number(version), bytes: bytesOf(64)(encoded, context) };
      }
      context.addIssue('must be a signature');
      return z.NEVER;
    }),
  }),
});

function bytesOf(length: number): (written: string, context: z.core.$RefinementCtx) => Uint8Array {
  return (written, context) => {
    const bytes = Buffer.from(written, 'base64');
    if (bytes.length === length && bytes.toString('base64') === written) return bytes;
    context.addIssue(`must be ${length} bytes in base64`);
    return z.NEVER;
  };
}
