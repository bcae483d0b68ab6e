/** The lead runs by its own definition, calls the roles that its team declares, and its answer is the team's. */
import type { Strategy } from './types.ts';

export const leadAndWorkers: Strategy = async (ground) => {
  const { status, end, reason, text, output } = await ground.lead();
  return {
    ...{ status: status === 'ok' ? 'ok' : 'failed', end, text },
    ...(reason === undefined ? {} : { reason }),
    ...(output === undefined ? {} : { output }),
  };
};
