export { createExec, type EgressDoor, type Exec, type ExecParts, type ExecRequest, type ExecResult } from './exec.ts';
export { ledgerRoster, type OperatorAct, type Roster } from './roster.ts';
export { revokedTopic } from './stop.ts';
export { createUseTool, type ToolRequest, type UsedTool, type UseTool, type UseToolParts } from './use-tool.ts';
export { workspaceOf } from './workspace.ts';
