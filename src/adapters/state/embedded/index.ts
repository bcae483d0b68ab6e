export { type EmbeddedStateOptions, openEmbeddedState } from './open.ts';
export { setStateAside } from './store/set-aside.ts';
