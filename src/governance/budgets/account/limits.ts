/** Amounts in whole numbers, so that sums are exact: micros of money, tokens, milliseconds, actions. */
import { z } from 'zod';
import { formatDuration } from '../../../kernel/index.ts';
import type { Budget } from '../../../schemas/index.ts';

const amount = z.int().min(0);

export const limitsSchema = z.strictObject({
  actions: amount.optional(),
  tokens: amount.optional(),
  moneyMicros: amount.optional(),
  ms: amount.optional(),
});
/** What is left out is not limited. */
export type Limits = z.infer<typeof limitsSchema>;
export type Kind = keyof Limits;

/** What is counted up; time passes by itself. */
export const counted = ['actions', 'tokens', 'moneyMicros'] as const;
export type Counted = (typeof counted)[number];
export type Amounts = Readonly<Record<Counted, number>>;

/** What an effect used of a model, or may use at most. */
export interface Spent {
  readonly tokens?: number;
  readonly moneyMicros?: number;
}

export const nothing: Amounts = { actions: 0, tokens: 0, moneyMicros: 0 };

export function limitsOf({ money, tokens, minutes, actions }: Budget): Limits {
  return {
    ...(money === undefined ? {} : { moneyMicros: Math.round(money * 1e6) }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(minutes === undefined ? {} : { ms: Math.ceil(minutes * 60_000) }),
    ...(actions === undefined ? {} : { actions }),
  };
}

/** Of each kind the smaller one. */
export function leastOf(one: Limits, other: Limits): Limits {
  const kinds = Object.keys({ ...one, ...other }) as Kind[]; // of two limits
  const infinite = Number.POSITIVE_INFINITY;
  return Object.fromEntries(kinds.map((kind) => [kind, Math.min(one[kind] ?? infinite, other[kind] ?? infinite)]));
}

/** Never wraps and never loses a unit: what is beyond counting is the greatest number that can be counted. */
export function plus(one: number, other: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, one + other));
}

/** What is reported or reserved, made whole; undefined where it is no amount: negative, or not a number. */
export function wholeAmount(value: unknown): number | undefined {
  if (typeof value !== 'number' || Number.isNaN(value) || value < 0) return undefined;
  return Math.min(Number.MAX_SAFE_INTEGER, Math.ceil(value));
}

const names: Readonly<Record<Kind, string>> = {
  ...{ actions: 'actions', tokens: 'tokens', moneyMicros: 'money', ms: 'time' },
};

/** `money`: what people call it. */
export function nameOf(kind: Kind): string {
  return names[kind];
}

/** `1.25`, `12,000`, `4m 05s`. */
export function formatAmount(kind: Kind, value: number): string {
  if (kind === 'ms') return formatDuration(value);
  if (kind !== 'moneyMicros') return value.toLocaleString('en');
  const [whole, places] = [
    Math.floor(value / 1e6),
    String(value % 1e6)
      .padStart(6, '0')
      .replace(/0+$/, ''),
  ];
  return `${whole.toLocaleString('en')}${places === '' ? '' : `.${places}`}`;
}

export function kindsOf(limits: Limits): readonly Kind[] {
  return Object.keys(limits) as Kind[]; // by its schema
}

/** `actions 20, time 30m 00s`. */
export function limitsText(limits: Limits): string {
  return kindsOf(limits)
    .map((kind) => `${nameOf(kind)} ${formatAmount(kind, limits[kind] ?? 0)}`)
    .join(', ');
}
