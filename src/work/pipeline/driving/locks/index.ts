export { type Held, type LockParts, lockTtlMs, takeLocks } from './hold.ts';
export { lockNameOf, stageLock } from './names.ts';
