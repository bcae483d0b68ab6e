import type { Team } from '../../../schemas/index.ts';
import { contest } from './contest.ts';
import { leadAndWorkers } from './lead-and-workers.ts';
import { inTurn } from './pipeline.ts';
import type { Strategy } from './types.ts';
import { vote } from './vote.ts';

export const strategies: Readonly<Record<Team['strategy'], Strategy>> = {
  'lead-and-workers': leadAndWorkers,
  pipeline: inTurn,
  vote,
  contest,
};
export type { Done, Ground, Place, Strategy, Task, TeamEnd, Work } from './types.ts';
