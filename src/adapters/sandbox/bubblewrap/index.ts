export { bubblewrapSandbox } from './sandbox.ts';
