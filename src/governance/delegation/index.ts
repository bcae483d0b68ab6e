export { type Handed, handedSchema, isWithin, secretPattern } from './handed.ts';
export { endOf, gravity, type Line, type Member, standingIn } from './line.ts';
export { type Bounds, refusalToLease, refusalToSpawn, refusalToWrite, type Scene, type SpawnWish } from './rules.ts';
