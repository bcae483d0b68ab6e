export { identifyOperator } from './operator.ts';
