export { type AskedStatus, askStatus } from './ask.ts';
export { type HealthEndpoint, type HealthSource, serveHealth } from './health.ts';
