export { type Held, type LockParts, lockTtlMs, takeLocks } from './hold.ts';
