/** Teams that run in this process: which roles each declares, and in whose name they are started. */
import type { Seat } from '../agents/index.ts';
import type { Child, ChildWish } from './children/index.ts';

/** What a member asks its team for. */
export interface Call {
  readonly caller: Seat;
  readonly role: string;
  /** Under which of several it is to stand. */
  readonly under?: string | undefined;
}

export interface Called {
  /** In whose name: that of the team's lead, or of whoever asks. */
  readonly asker: Seat;
  readonly wish: Omit<ChildWish, 'task' | 'input'>;
}

export interface LiveTeam {
  readonly id: string;
  readonly name: string;
  /** What is over the role, and what it is handed; a refusal is part of the wish. @throws NOT_FOUND */
  called(call: Call): Called;
  began(child: Child): void;
}

export interface LiveTeams {
  find(id: string | undefined): LiveTeam | undefined;
  add(team: LiveTeam): Disposable;
}

export function liveTeams(): LiveTeams {
  const all = new Map<string, LiveTeam>();
  return {
    find: (id) => (id === undefined ? undefined : all.get(id)),
    add(team) {
      all.set(team.id, team);
      return { [Symbol.dispose]: () => void all.delete(team.id) };
    },
  };
}
