import { describe, expect, it } from 'vitest';
import { idSource, systemEnv } from './index.ts';

describe('x', () => {
  it('y', () => {
    const next = idSource(systemEnv());
    expect(next()).toMatch(/^[0-9a-f-]{36}$/);
  });
});
