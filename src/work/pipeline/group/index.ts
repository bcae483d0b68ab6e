export { driveInTurn, type TurnParts } from './turn.ts';
