/** Terraform in two steps, plan and apply, with nothing but the plan's digest between them. */
import type { Tool } from '../port.ts';
import { terraformApply } from './apply.ts';
import { terraformPlan } from './plan.ts';

export { placeOf } from './place.ts';

export function terraformTools(): readonly Tool[] {
  return [terraformPlan, terraformApply];
}
