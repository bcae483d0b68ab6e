/** A team, `teams/NAME.yaml`: who leads, who works under whom, what they share, and how their work comes together. */
import { z } from 'zod';
import { durationPattern, parseDuration } from '../../kernel/index.ts';
import { nameSchema } from '../names.ts';
import { budgetSchema } from './budget.ts';

/** Without dots: a role is part of its holders' names, and must not read as a name itself. */
export const roleSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,15}$/, 'use up to 16 of a-z, 0-9 and -, beginning with a letter')
  .refine((role) => !/-\d+$/.test(role), 'must not end like a number, which its holders get');

const secretSchema = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_-][\w.-]*(?:\/[A-Za-z0-9_-][\w.-]*)*(?:\/\*)?$/, 'write a path, or a folder as folder/*');

const memberSchema = z
  .strictObject({
    agent: nameSchema.optional().describe('What it runs: an agent’s definition (`agents/NAME.yaml`).'),
    team: nameSchema.optional().describe('Or a team (`teams/NAME.yaml`), whose lead stands in this place.'),
    count: z.int().min(1).max(32).default(1).describe('How many there are, or may be at once.'),
    tier: z.enum(['T0', 'T1', 'T2']).optional().describe('That of its definition, or a lower one.'),
    reportsTo: roleSchema.optional().describe('The role that it stands under; the lead when left out.'),
    share: z.int().min(1).max(100).optional().describe('Percent of the team’s budget, for all of the role together.'),
    secrets: z.array(secretSchema).max(100).default([]).describe('Secrets that it may lease: paths, or `folder/*`.'),
    task: z
      .string()
      .min(1)
      .max(32_768)
      .optional()
      .describe('What it is to do, besides the team’s task, which stands before it.'),
  })
  .refine(
    (member) => (member.agent === undefined) !== (member.team === undefined),
    'needs exactly one of "agent" and "team"',
  );

export const teamSchema = z
  .strictObject({
    apiVersion: z.literal('agov/v1'),
    kind: z.literal('Team'),
    name: nameSchema.describe('Of the team, and of the file.'),
    description: z.string().max(2000).optional(),
    lead: nameSchema.describe(
      'The registered agent that all others stand under, with its definition (`agents/NAME.yaml`).',
    ),
    members: z
      .record(roleSchema, memberSchema)
      .refine((members) => Object.keys(members).length > 0, 'must hold at least one role')
      .refine((members) => Object.keys(members).length <= 32, 'must hold at most 32 roles'),
    strategy: z
      .enum(['lead-and-workers', 'pipeline', 'vote', 'contest'])
      .describe(
        'How their work comes together: the lead starts them, one after another, all decide, or the best one goes on.',
      ),
    vote: z
      .strictObject({
        quorum: z
          .int()
          .min(1)
          .max(1024)
          .optional()
          .describe('Votes for it that it takes; more than half when left out.'),
        veto: z.array(roleSchema).max(32).default([]).describe('Roles all of whose holders must be for it.'),
      })
      .optional(),
    contest: z
      .strictObject({
        judge: roleSchema.describe('The role that picks the winner. All others try.'),
        parallel: z.int().min(1).max(32).default(2).describe('How many try at once.'),
      })
      .optional(),
    budget: budgetSchema.optional().describe('What all of them may spend together.'),
    peers: z.boolean().default(false).describe('Those under one lead may write to each other.'),
    lifetime: z
      .string()
      .regex(durationPattern, 'write a whole number and a unit: 30s, 15m')
      .optional()
      .describe('Then it is over.'),
  })
  .refine((team) => team.strategy === 'contest' || team.contest === undefined, {
    error: '"contest" goes with the strategy of that name',
    path: ['contest'],
  })
  .refine((team) => team.strategy === 'vote' || team.vote === undefined, {
    error: '"vote" goes with the strategy of that name',
    path: ['vote'],
  })
  .refine((team) => team.strategy !== 'contest' || team.contest !== undefined, {
    error: 'needs "contest" with the role of the judge',
    path: ['strategy'],
  });
export type Team = z.infer<typeof teamSchema>;
export type TeamMember = z.infer<typeof memberSchema>;

/** What bounds all agents that agents start. */
export const teamsConfigSchema = z.strictObject({
  depth: z
    .int()
    .min(0)
    .max(8)
    .default(3)
    .describe('How many agents may stand in a row below one that an operator added; 0: no agent starts another.'),
  members: z.int().min(1).max(1000).default(32).describe('How many may live at once below it, however deep.'),
  lifetime: z
    .string()
    .regex(durationPattern, 'write a whole number and a unit: 30s, 15m, 2h')
    .refine((text) => parseDuration(text) <= 86_400_000, 'must be a day at most')
    .default('1h')
    .describe('How long an agent that an agent started may live, and does where nothing else is said.'),
});
