/** The agents that come with agov, as the governor knows them: what each takes, and the tier that it is written for. */
import type { z } from 'zod';
import { adminInput, executorInput, observerInput } from './inputs.ts';

export interface Shipped {
  readonly name: string;
  readonly tier: 'T0' | 'T1' | 'T2';
  readonly does: string;
  /** Programs that it uses where they are there. */
  readonly needs: readonly string[];
  /** What it asks a model for, where it has one. */
  readonly advice: string;
  readonly input: z.ZodObject;
}

export const shippedAgents: readonly Shipped[] = [
  {
    name: 'observer',
    tier: 'T0',
    does: 'Takes stock of a repository: what is in it, where it has drifted, which secrets lie in it.',
    needs: ['git'],
    advice: 'a summary, and what to look at first',
    input: observerInput,
  },
  {
    name: 'executor',
    tier: 'T1',
    does: 'Makes a change on a branch of its own, runs the tests, plans the infrastructure, commits.',
    needs: ['git', 'terraform, where the change touches infrastructure'],
    advice: 'a patch where none is given, and a better one where tests fail',
    input: executorInput,
  },
  {
    name: 'admin',
    tier: 'T2',
    does: 'Judges a branch or a plan by rules, merges and applies with the consent of operators, cleans up.',
    needs: ['git', 'terraform, to apply'],
    advice: 'an objection to a change; it can hold one up, and never wave one through',
    input: adminInput,
  },
];

const prefix = 'agov:';

/** Of a definition's `function`; undefined for a module of the project, or a name that there is none of. */
export function shippedAs(reference: string): Shipped | undefined {
  return shippedAgents.find(({ name }) => reference === prefix + name);
}

/** Whether it is meant to come with agov. */
export function meansShipped(reference: string): boolean {
  return reference.startsWith(prefix);
}
