export { functionKind } from './kind.ts';
