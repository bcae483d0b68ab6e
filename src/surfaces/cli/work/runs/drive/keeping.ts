/** Checkpoints after stages, where the configuration asks for them: one after another, and none that a later one makes idle. */
import type { App } from '../../../../../app/index.ts';
import type { Cli } from '../../../frame/index.ts';

export interface Keeping {
  after(stage: string, status: string): void;
  /** Resolves when what was begun is taken. */
  done(): Promise<void>;
}

export function keeping(cli: Cli, app: App, run: string, by: ReturnType<App['operator']>): Keeping {
  let ended: string[] = [];
  let working: Promise<void> | undefined;
  const work = async (): Promise<void> => {
    while (ended.length > 0) {
      const told = ended.join(', ');
      ended = [];
      const failed = await app.autoCheckpoint('stage-end', `Run ${run}: ${told}.`.slice(0, 4000), () => by);
      if (failed !== undefined) cli.note(failed);
    }
    working = undefined;
  };
  return {
    after(stage, status) {
      if (status !== 'ok' && status !== 'failed' && status !== 'denied') return;
      ended.push(`${stage} ${status}`);
      working ??= work();
    },
    done: async () => working,
  };
}
