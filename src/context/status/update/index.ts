export { openPlace } from './place.ts';
export { hold } from './replace.ts';
export { openTurns } from './turn.ts';
export { type About, type Updated, type UpdateParts, update, type Wanted } from './update.ts';
