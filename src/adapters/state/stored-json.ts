/** JSON text of a stored row. What `JSON.parse` returns is JSON, so nothing is left to check but that it parses. */
import { z } from 'zod';
import type { Json } from '../../kernel/index.ts';

export const storedJson = z.string().transform((text, context): Json => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'is not JSON' });
    return z.NEVER;
  }
});
