/** The Model Context Protocol: what an agent needs to find its feet again, for clients that are not ours. */
export { type LocalOptions, localTools } from './local.ts';
export { remoteTools } from './remote.ts';
export { type ServeOptions, serveTools } from './serve.ts';
