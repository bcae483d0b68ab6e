/** Opens the queue on a server of the Redis protocol. Made for Dragonfly; Valkey and Redis do. */
import type { Queue } from '../port.ts';
import { openServer, type ServerOptions } from './connection.ts';
import { claimsOn } from './sections/claims.ts';
import { deliveryOn } from './sections/delivery.ts';
import { fleetOn } from './sections/fleet.ts';
import { parcelsOn } from './sections/parcels.ts';

export interface BullmqOptions extends ServerOptions {
  /** The hash tag of every key: Dragonfly then gives the queue one thread and locks no more than that. */
  readonly tag: string;
  /** Of the jobs: workers of another one have a queue of their own, and take none of these. */
  readonly format: number;
}

/** Asks the server nothing yet. @throws AgovError CONFIG_INVALID */
export function openBullmq(options: BullmqOptions): Queue {
  const server = openServer(options);
  const prefix = `{${options.tag}}:queue`;
  const name = `work${options.format}`;
  const delivery = deliveryOn(server, { prefix, name }, options.env);
  return {
    delivery,
    claims: claimsOn(server, { prefix, queued: (id) => `${prefix}:${name}:${id}` }, options.env),
    fleet: fleetOn(server, prefix),
    parcels: parcelsOn(server, prefix),
    async [Symbol.asyncDispose]() {
      await delivery[Symbol.asyncDispose]();
      server[Symbol.dispose]();
    },
  };
}
