export { type EmbeddedSecretsOptions, openEmbeddedSecrets } from './open.ts';
