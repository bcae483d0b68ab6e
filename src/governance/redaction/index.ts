/** Secrets that are known by their looks, in text that others wrote: found, or taken out on the way. */
export { type SecretRule, secretRules } from './rules.ts';
export {
  findSecrets,
  redactText,
  type SecretFind,
  type SecretScanner,
  secretFinder,
  secretScanner,
} from './scanner.ts';
