export { driveInTurn, type TurnParts, turnOf } from './turn.ts';
