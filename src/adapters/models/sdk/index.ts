export { openModel } from './open.ts';
