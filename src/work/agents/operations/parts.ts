/** What the operations are made of. */
import type { State } from '../../../adapters/state/port.ts';
import type { Tool } from '../../../adapters/tools/port.ts';
import type { Approvals } from '../../../governance/approvals/index.ts';
import type { Budgets } from '../../../governance/budgets/index.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import type { Governor } from '../../../governance/governor/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import type { Env } from '../../../kernel/index.ts';
import type { Exec } from '../acting/exec.ts';
import type { ExplainTool, UseTool } from '../acting/use-tool.ts';
import type { Slots } from './slots.ts';

export interface OperationParts {
  readonly env: Env;
  readonly governor: Governor;
  readonly ledger: Ledger;
  readonly approvals: Approvals;
  readonly budgets: Budgets;
  readonly artifacts: Artifacts;
  readonly state: State;
  readonly exec: Exec;
  readonly useTool: UseTool;
  readonly explainTool: ExplainTool;
  readonly tools: ReadonlyMap<string, Tool>;
  /** Bounds what one run has started at once, however deep. */
  readonly slots: Slots;
}
