export { type BullmqOptions, openBullmq } from './open.ts';
