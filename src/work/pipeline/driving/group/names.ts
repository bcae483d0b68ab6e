/** Under which names the state store keeps a group: whose turn it is, who waits, and who is told to make room. */
export function turnLock(group: string): string {
  return `pipeline-group/${encodeURIComponent(group)}`;
}

/** Runs that wait, by their ids: these sort by when a run began. */
export function ticketPrefix(group: string): string {
  return `pipeline-queue/${encodeURIComponent(group)}/`;
}

export function orderKey(run: string): string {
  return `pipeline-cancel/${run}`;
}
