/** Texts with `${{ … }}` in them. One that is nothing else keeps the type of its value; others become text. */
import type { Json } from '../../../kernel/index.ts';
import { compileExpression, type Expression, type ExpressionFault, type Scope, type Values } from './expression.ts';

export interface Template {
  evaluate(values: Values): Json;
}

const hole = /\$\{\{(.*?)\}\}/gs;

export function hasHoles(text: string): boolean {
  return text.includes('${{');
}

type Part = string | Expression;

/** The text as a template, or its faults. */
export function compileTemplate(text: string, scope: Scope): Template | readonly ExpressionFault[] {
  const faults: ExpressionFault[] = [];
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(hole)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    end = match.index + match[0].length;
    const compiled = compileExpression((match[1] ?? '').trim(), scope);
    if (compiled.ok) parts.push(compiled.expression);
    else faults.push(compiled.fault);
  }
  const rest = text.slice(end);
  if (rest !== '') parts.push(rest);
  if (hasHoles(rest)) faults.push({ message: 'A "${{" is not closed with "}}".' });
  if (faults.length > 0) return faults;
  return { evaluate: (values) => filled(parts, values) };
}

function filled(parts: readonly Part[], values: Values): Json {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && typeof only !== 'string') return only.evaluate(values);
  return parts.map((part) => (typeof part === 'string' ? part : asText(part.evaluate(values)))).join('');
}

/** As a command's argument or a variable has it: texts bare, the rest as JSON. */
export function asText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
