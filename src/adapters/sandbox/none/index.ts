export { unconfinedSandbox } from './sandbox.ts';
