/** Cents with tax, rounded to whole ones. The flaw is on purpose: a rebate is taken off after the tax. */
export function price(cents, { tax, rebate = 0 }) {
  return Math.round(cents * (1 + tax)) - rebate;
}
