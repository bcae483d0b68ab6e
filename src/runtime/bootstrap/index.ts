export { type LayoutReport, mendLayout } from './layout.ts';
export { identifyOperator } from './operator.ts';
