export {
  type Call,
  isSealed,
  maxAttempts,
  openTransport,
  type Request,
  type Transport,
  type TransportOptions,
} from './transport.ts';
export type { Answer } from './wire.ts';
