export { createPlanner, type Next, type Now, type Planner } from './next.ts';
export { createWaits } from './waits.ts';
