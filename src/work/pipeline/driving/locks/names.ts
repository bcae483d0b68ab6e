/** Under which name the state store keeps the lock of a stage. */
const prefix = 'pipeline/';

export function stageLock(name: string): string {
  return `${prefix}${name}`;
}

export function lockNameOf(stored: string): string {
  return stored.slice(prefix.length);
}
