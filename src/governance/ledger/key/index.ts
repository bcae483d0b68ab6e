export { type LedgerKey, loadKey, loadOrCreateKey, publicKeyPem, verifierKeyLine } from './file-key.ts';
export { loadOrPin, loadPinned, type PinnedKey, pinKey } from './pinned.ts';
export { type RemoteKey, remoteKey, type SigningKey } from './remote.ts';
