export { type DragonflyState, type DragonflyStateOptions, openDragonflyState } from './open.ts';
