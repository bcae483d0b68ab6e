export { vaultSigner } from './signer.ts';
