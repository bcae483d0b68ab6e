/** Branch and remote names, and what the governor must know about a branch. The rules are those of git-check-ref-format(1). */
import { z } from 'zod';
import type { Facts } from '../../../schemas/index.ts';
import type { ToolContext } from '../port.ts';

const maxBranchBytes = 200;

export const branchSchema = z
  .string()
  .min(1)
  .refine((name) => Buffer.byteLength(name) <= maxBranchBytes, `must be at most ${maxBranchBytes} bytes`)
  .refine((name) => name.isWellFormed() && isRefName(name), 'is not a branch name that git accepts')
  .refine((name) => !/^(?:refs\/|HEAD$)/.test(name), 'must be a branch, without refs/ and not HEAD');

/** A name of the repository's configuration, never an URL: those are the operator's to choose. */
export const remoteSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be the name of a configured remote, such as origin')
  .refine((name) => isRefName(name), 'is not a remote name that git accepts');

export function branchFacts(context: ToolContext, branch: string): Facts {
  return {
    ownBranch: branch.startsWith(ownPrefix(context.agent)),
    protectedBranch: context.protectedBranches.includes(branch),
  };
}

export function ownPrefix(agent: string): string {
  return `agov/${agent}/`;
}

function isRefName(name: string): boolean {
  // A leading dash would be read as an option; `@{` asks for the reflog; a space and below, and ~^:?*[\ are revision syntax.
  if (/^-|[\0-\x20\x7f~^:?*[\\]|@\{|\.\.|\/\/|^\/|\/$|\.$/.test(name) || name === '@') return false;
  return name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));
}
