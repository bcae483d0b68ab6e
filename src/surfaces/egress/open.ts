/** The listed way out of one sandbox: each connection is an intent of its own, below the command's. */
import { mkdtemp, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EgressOpener } from '../../app/index.ts';
import type { Channel, Governor } from '../../governance/governor/index.ts';
import { startEgressProxy } from './proxy.ts';
import type { Authorisation, EgressRequest } from './types.ts';

export const openEgress: EgressOpener = async (app, channel, hosts, intent) => {
  const governor = await app.governor();
  // mkdtemp makes the folder 0700: nobody else reaches the socket.
  const folder = await mkdtemp(join(tmpdir(), 'agov-egress-'));
  const proxy = await startEgressProxy({
    socketPath: join(folder, 'socket'),
    env: app.env,
    authorize: (request) => authorize(governor, channel, hosts, intent, request),
  });
  return {
    socket: proxy.socketPath,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

async function authorize(
  governor: Governor,
  channel: Channel,
  hosts: readonly string[],
  parent: string,
  { host, port, method }: EgressRequest,
): Promise<Authorisation> {
  const resource = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const begun = await governor.begin(channel, { action: 'net.request', resource, args: { method } }, { parent });
  if (begun.verdict !== 'allow') return refuse(begun.decision.reasons[0] ?? 'No policy permits it.');
  const { id } = begun;
  // A pattern such as `*` means names. An address is connected to as it is, so the list must name it.
  if (isIP(host) !== 0 && !hosts.includes(host) && !hosts.includes(resource)) {
    const reason = `The address ${host} is not on the list itself.`;
    await governor.end(channel, id, { status: 'failed', reason, facts: {} });
    return refuse(reason);
  }
  return {
    allow: true,
    reason: '',
    end: ({ error, ...bytes }) =>
      governor.end(channel, id, {
        status: error ? 'failed' : 'ok',
        facts: { ...bytes },
        ...(error ? { reason: error } : {}),
      }),
  };
}

function refuse(reason: string): Authorisation {
  return { allow: false, reason, end: async () => undefined };
}
