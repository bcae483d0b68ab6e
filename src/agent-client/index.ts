/** `agent-governance/agent`: what a program needs that runs as an agent. It needs nothing but Node. */
export { type Agent, type ConnectOptions, connect } from './client.ts';
export { AgentError, type CallOptions } from './transport.ts';
export type {
  ActOptions,
  Advice,
  Answer,
  ApprovalState,
  Board,
  BoardItem,
  ExecOptions,
  Executed,
  Explained,
  HeldLock,
  Json,
  LiveRuns,
  Locked,
  LockOptions,
  NotAllowed,
  Output,
  Question,
  Space,
  Tier,
  ToolDescription,
  ToolUse,
  Whoami,
} from './types.ts';
