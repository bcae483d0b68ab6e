/** Asks the `agov serve` of a project how it is. */
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { hostPort } from './health.ts';

/** What is shown of it; whoever wants all of it asks the endpoint. */
const statusSchema = z.object({
  pid: z.int(),
  host: z.string(),
  since: z.string(),
  ready: z.boolean(),
  reasons: z.array(z.string()),
  breakers: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['closed', 'open', 'half-open']),
      since: z.string().optional(),
      reason: z.string().optional(),
      nextTryAt: z.string().optional(),
      opened: z.int(),
    }),
  ),
  chores: z.array(
    z.object({
      name: z.string(),
      runs: z.int(),
      failures: z.int(),
      lastAt: z.string().optional(),
      did: z.string().optional(),
      didAt: z.string().optional(),
      fault: z.object({ code: z.string(), what: z.string(), fix: z.string().optional() }).optional(),
    }),
  ),
});
export type AskedStatus = z.infer<typeof statusSchema>;

const longestMs = 2000;

/** Undefined when nobody answers there, or not as `agov serve` does. */
export async function askStatus(address: string): Promise<AskedStatus | undefined> {
  try {
    const body = await get(address.startsWith('/') ? { socketPath: address } : hostPort(address));
    return statusSchema.parse(JSON.parse(body));
  } catch {
    return undefined; // that nobody answers is the answer
  }
}

function get(to: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { ...to, path: '/status', headers: { host: 'localhost' }, signal: AbortSignal.timeout(longestMs) },
      (response) => void text(response).then(resolve, reject),
    );
    asked.on('error', reject);
    asked.end();
  });
}
