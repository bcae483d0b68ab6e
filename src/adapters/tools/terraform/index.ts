/** Terraform in two steps, plan and apply, with nothing but the plan's digest between them, by which it can be looked at. */
import type { Tool } from '../port.ts';
import { terraformApply } from './apply.ts';
import { terraformPlan } from './plan.ts';
import { terraformShow } from './show.ts';

export { placeOf } from './place.ts';

export function terraformTools(): readonly Tool[] {
  return [terraformPlan, terraformApply, terraformShow];
}
