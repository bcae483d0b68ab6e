export { durationPattern, formatDuration, parseDuration } from './duration.ts';
export { type Env, isoTime, systemEnv } from './env.ts';
export { AgovError, ERROR_TABLE, type ErrorCode, isAgovError, messageOf, systemCode } from './errors.ts';
export { canonicalHash, sameSecret, sha256Hex } from './hash.ts';
export { type Brand, type EntryId, type IdSource, idSource, type RunId } from './ids.ts';
export { canonicalJson, type Json, type JsonObject } from './json.ts';
export { packageFile } from './package.ts';
export { type Redactor, redactor } from './redact.ts';
export { Secret } from './secret.ts';
