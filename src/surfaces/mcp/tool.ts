/** One tool as MCP tells and calls it, whoever performs it. */
import type { Json } from '../../kernel/index.ts';

export interface Tool {
  /** MCP clients take letters, digits, `_` and `-`. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema of an object. */
  readonly inputSchema: { readonly type: 'object' } & Readonly<Record<string, unknown>>;
  /** It changes nothing. */
  readonly readOnly: boolean;
  /** @throws AgovError, or an error with the same fields */
  call(input: unknown, signal: AbortSignal): Promise<Json>;
}

/** `memory.log` is `memory_log`. */
export function toolName(operation: string): string {
  return operation.replaceAll('.', '_');
}

const writing = new Set(['memory.log', 'checkpoint.now', 'status.update']);

export function changesNothing(operation: string): boolean {
  return !writing.has(operation);
}
