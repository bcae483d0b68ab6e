export { type StateServerHealth, stateServerHealth } from './health.ts';
export { type DragonflyState, type DragonflyStateOptions, openDragonflyState } from './open.ts';
