export { activeAgent } from './acting/active.ts';
export {
  createExec,
  type EgressDoor,
  type Exec,
  type ExecParts,
  type ExecRequest,
  type ExecResult,
  execIntent,
  type SocketDoor,
} from './acting/exec.ts';
export { type Acquire, createAcquire, endRetired, rememberTampering, retiring } from './acting/leases/index.ts';
export { heldFor, lockOwner, runOf, runOwner } from './acting/lock-owner.ts';
export {
  createExplainTool,
  createUseTool,
  type ExplainTool,
  type ToolRequest,
  type UsedTool,
  type UseTool,
  type UseToolParts,
} from './acting/use-tool.ts';
export { workspaceOf } from './acting/workspace.ts';
export {
  type AgentResult,
  checkDefinition,
  createExplainAgent,
  createRunAgent,
  type Definition,
  definitionFile,
  definitionFolder,
  type ExplainAgent,
  functionKind,
  type KindName,
  type KnownToAgents,
  llmKind,
  mustDefine,
  processKind,
  type RunAgent,
  readBeside,
} from './kinds/index.ts';
export {
  type AgentOperations,
  answerOf,
  type ContextSeat,
  contextOperations,
  createOperations,
  defineOperation,
  notAllowed,
  type Operation,
  type OperationParts,
  runSlots,
  type Seat,
  type Slots,
  tooMany,
} from './operations/index.ts';
export {
  appendStep,
  foldAgents,
  foldFleet,
  ledgerRoster,
  type OperatorAct,
  putActs,
  type Roster,
} from './roster/index.ts';
export { type Shipped, shippedAgents } from './shipped/index.ts';
export { announceHalt, createWatch, type Watch } from './stop/index.ts';
