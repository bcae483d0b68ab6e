import assert from 'node:assert/strict';
import { test } from 'node:test';
import { price } from './price.mjs';

test('takes a rebate off before the tax', () => {
  assert.equal(price(1000, { tax: 0.2, rebate: 100 }), 1080);
});

test('rounds to whole cents', () => {
  assert.equal(price(99, { tax: 0.077 }), 107);
});
