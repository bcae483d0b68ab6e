export { type Acquire, type CredentialParts, createAcquire } from './credential.ts';
export { hush } from './hush.ts';
export { type LeaseParts, leaseAll } from './lease-all.ts';
export { endRetired, retiring } from './retirement.ts';
export { rememberTampering } from './tampering.ts';
