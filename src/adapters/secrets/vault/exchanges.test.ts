/** Every exchange that was recorded from a real Vault is read by the client's own shapes. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { exchanges } from '../../../../test/support/vault/index.ts';
import {
  authAnswer,
  capabilitiesAnswer,
  healthAnswer,
  keysAnswer,
  leasedAnswer,
  lookupAnswer,
  refusalAnswer,
  valueAnswer,
  writtenAnswer,
} from '../../vault-client/answers.ts';

/** By request; what agov asks for. The first that fits counts. */
const shapes: readonly (readonly [RegExp, z.ZodType])[] = [
  [/^GET sys\/health$/, healthAnswer],
  [/^POST auth\/[\w-]+\/login$/, authAnswer],
  [/^POST auth\/token\/renew-self$/, authAnswer],
  [/^GET auth\/token\/lookup-self$/, lookupAnswer],
  [/^POST sys\/capabilities-self$/, capabilitiesAnswer],
  [/^POST agov\/data\//, writtenAnswer],
  [/^GET agov\/data\//, valueAnswer],
  [/^LIST agov\/metadata\//, keysAnswer],
  [/^POST pki\/issue\//, leasedAnswer],
];
/** Of setting up, of transit, of identity: requests that this adapter does not make, in Vault's one envelope. */
const envelope = z.object({ request_id: z.string(), lease_id: z.string(), data: z.unknown() });
const sealStatus = z.object({ sealed: z.boolean(), initialized: z.boolean() });

function shapeOf({ request, response }: (typeof exchanges)[number]): z.ZodType {
  if (response.status === 204) return z.null();
  if (request.path === '/v1/sys/seal-status') return sealStatus;
  // The only body with a status of failure that is no refusal.
  if (response.status >= 400 && request.path !== '/v1/sys/health') return refusalAnswer.or(valueAnswer);
  const line = `${request.method} ${request.path.replace('/v1/', '').replace(/\?.*/, '')}`;
  return shapes.find(([pattern]) => pattern.test(line))?.[1] ?? envelope;
}

it('are all there', () => {
  expect(exchanges).toHaveLength(85);
  const used = shapes.map(([, shape]) => exchanges.filter((one) => shapeOf(one) === shape).length);
  expect(Math.min(...used)).toBeGreaterThan(0);
});

it.each(exchanges.map((one, i) => [i, one.name, one] as const))('%i %s', (_i, _name, exchange) => {
  expect(shapeOf(exchange).safeParse(exchange.response.body)).toMatchObject({ success: true });
});

it('a shape refuses what Vault would not answer', () => {
  for (const [, shape] of shapes) {
    for (const bad of [null, 'x', {}, { data: [] }, { auth: {} }]) expect(shape.safeParse(bad).success).toBe(false);
  }
});
