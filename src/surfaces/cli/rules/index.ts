/** The rules: tiers, policies, and why a verdict is what it is. */
import type { AddCommands } from '../frame/index.ts';
import { explainCommand } from './explain.ts';
import { policyCommands } from './policy.ts';
import { tierCommands } from './tiers.ts';

export const ruleCommands: AddCommands = (program, define) => {
  explainCommand(program, define);
  policyCommands(program, define);
  tierCommands(program, define);
};
