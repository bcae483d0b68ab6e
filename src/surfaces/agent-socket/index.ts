export { openAgentSocket } from './open.ts';
export { openApi } from './openapi.ts';
