/** Audit devices. Not recorded: as the API's documentation has them. */
import { z } from 'zod';
import { recorded } from '../recorded.ts';
import { type Area, needsSudo } from './area.ts';

const asked = z.looseObject({ type: z.string(), options: z.record(z.string(), z.string()) });

export const audit: Area = (vault, request) => {
  const { method, path, body } = request;
  const [whole, name = ''] = /^sys\/audit(?:\/(.+))?$/.exec(path) ?? [];
  if (whole === undefined) return undefined;
  if (needsSudo(vault, request)) return recorded('outside the tier: permission denied');
  if (method === 'GET') {
    const listed = [...vault.devices].map(([device, one]) => [`${device}/`, { ...one, path: `${device}/` }]);
    return recorded('read', { data: Object.fromEntries(listed) });
  }
  if (method === 'DELETE') vault.devices.delete(name);
  else if (vault.devices.has(name)) return { status: 400, body: { errors: ['path already in use'] } };
  else {
    const device = asked.parse(body);
    // As Vault looks before it relies on a file.
    if (device.options['file_path']?.startsWith('/nowhere/')) {
      return { status: 400, body: { errors: ['sanity check failed; unable to open the file for writing'] } };
    }
    vault.devices.set(name, device);
  }
  return recorded('KV v2 mount');
};
