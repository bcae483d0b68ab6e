/** A budget as people write it: what may be spent at most, of each kind; what is left out is not limited. */
import { z } from 'zod';

const decimal = /^\d{1,9}(?:\.\d{1,6})?$/;

export const budgetSchema = z
  .strictObject({
    money: z
      .number()
      .positive()
      .refine((value) => decimal.test(String(value)), 'write at most nine digits, and six after the point')
      .optional()
      .describe('In the currency of the account; at most six places after the point.'),
    tokens: z.int().min(1).max(1e12).optional().describe('Of language models, those in and those out.'),
    minutes: z
      .number()
      .positive()
      .max(525_600)
      .optional()
      .describe('Of wall time since it began; at the end what runs is stopped.'),
    actions: z.int().min(1).max(1e9).optional().describe('Allowed intents: a command, each secret it is leased, …'),
  })
  .refine((budget) => Object.keys(budget).length > 0, 'must limit something: money, tokens, minutes or actions')
  .describe('What may be spent at most.');
export type Budget = z.infer<typeof budgetSchema>;
