/** The context of one asker, bound to who they are before they ask; each part opens when it is first asked for. */
import type { Checkpoints } from '../../../../../context/checkpoint/index.ts';
import type { Desk } from '../../../../../context/memory/index.ts';
import type { Dashboard, SweepReport, Updated, Wanted } from '../../../../../context/status/index.ts';

export interface ContextSeat {
  /** Where the asker may look without naming a space: `agent/NAME`; undefined for an operator, who may look everywhere. */
  readonly home: string | undefined;
  memory(): Promise<Desk>;
  checkpoints(): Promise<Checkpoints>;
  updateStatus(directory: string, wanted: Omit<Wanted, 'by'>): Promise<Updated>;
  /** `directory` is from the workspace. */
  readonly views: {
    dashboard(directory: string, signal: AbortSignal): Promise<Dashboard>;
    sweep(directory: string, signal: AbortSignal): Promise<SweepReport>;
  };
}
