/** One declaration of what each tier may do, and what follows from it: policy, Vault, sandbox, network, tools. */
export { type CompiledPolicy, compileCedar } from './cedar.ts';
export { type Declaration, declarationSchema, type Grant, type TierSpec, type Where } from './declaration.ts';
export { egressHosts, type Lists, type Overrides, toolLists } from './lists.ts';
export { grantsFor, leaseMs, loadTiers, type Tiers, tierTitle } from './load.ts';
export { type ActionSandbox, compileSandbox, sandboxFor, type TierSandbox } from './sandbox.ts';
export { compileVault, type VaultCapability, type VaultPlace, type VaultPolicy } from './vault.ts';
