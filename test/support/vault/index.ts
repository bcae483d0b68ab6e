export type { FakeVault, FakeVaultOptions } from './fake.ts';
export { type Identified, identified, names } from './identified.ts';
export { builtinLayout, laidOut } from './laid-out.ts';
export { type Opened, opened, openOwnVaultSecrets, refusal, secretText } from './opened.ts';
export { exchanges, recorded } from './recorded.ts';
export { fakeVault, roleId } from './server.ts';
