export { exchanges, recorded } from './recorded.ts';
export { type FakeVault, type FakeVaultOptions, fakeVault, roleId } from './server.ts';
