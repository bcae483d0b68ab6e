export {
  type CelType,
  compileExpression,
  type Expression,
  type ExpressionFault,
  type Scope,
  type Values,
} from './expression.ts';
export { asText, compileTemplate, hasHoles, type Template } from './template.ts';
export { recordable } from './values.ts';
