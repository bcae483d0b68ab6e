/**
 * A room: a throw-away repository with no configuration, whose objects are added to those of the project's repository.
 * All that reads or writes working files happens here, while the project's `.git` is read-only. For git runs programs
 * on such occasions: the filters that `.gitattributes` asks for, and, since it runs `git status` in nested repositories,
 * the filters of *their* configuration. An agent that got one of them to run with `.git` open could leave a hook there
 * for the operator's next commit. What a room made enters the repository as a bundle, checked by
 * hash, and only as trees and contents.
 */
import { join } from 'node:path';
import { demand } from '../exec-result.ts';
import type { ToolCommand, ToolContext, ToolExec, ToolExit } from '../port.ts';
import { identity, runGit } from './command.ts';
import type { Repository } from './repository.ts';

/** Fixed text: what varies comes as environment and arguments. Without ROOM it works in a folder that it removes. */
const prologue = `set -eu
if [ -z "$ROOM" ]; then ROOM=$(mktemp -d); trap 'rm -rf "$ROOM"' EXIT; fi
export GIT_DIR="$ROOM/git" GIT_INDEX_FILE="$ROOM/index"
if [ ! -e "$GIT_DIR" ]; then
  git init -q --bare --template= --object-format="$FORMAT"
  mkdir -p "$GIT_DIR/info" "$GIT_DIR/objects/info"
  printf '%s\\n' "$REPOSITORY/objects" > "$GIT_DIR/objects/info/alternates"
  printf '/.agov/\\n/.worktrees/\\n' > "$GIT_DIR/info/exclude"
  if [ -e "$REPOSITORY/info/exclude" ]; then cat "$REPOSITORY/info/exclude" >> "$GIT_DIR/info/exclude"; fi
fi
`;

/** Puts `$tree` into BUNDLE, carried by a commit of no other meaning, since a bundle holds commits. */
const bundling = `
if [ -n "$BUNDLE" ]; then
  set --
  for parent in $PARENTS; do set -- "$@" -p "$parent"; done
  carrier=$(git commit-tree "$tree" "$@" -m carrier)
  git update-ref refs/agov/carrier "$carrier"
  set --
  for parent in $PARENTS; do set -- "$@" "^$parent"; done
  git bundle create -q "$BUNDLE" "$@" refs/agov/carrier
fi
`;

export interface RoomCommand extends Pick<ToolCommand, 'readOnly' | 'readWrite'> {
  readonly script: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Keeps what the script makes in the call's scratch folder: after the decision only. */
  readonly keep?: boolean;
  readonly bundle?: { readonly parents: readonly string[] };
  readonly access?: ToolCommand['access'];
}

export async function inRoom(
  repository: Repository,
  context: ToolContext,
  exec: ToolExec,
  command: RoomCommand,
): Promise<ToolExit> {
  const { script, args = [], keep = command.bundle !== undefined } = command;
  return runGit(exec, {
    argv: ['sh', '-c', prologue + script + (command.bundle ? bundling : ''), 'sh', ...args],
    access: command.access ?? 'read',
    readOnly: [repository.folder, ...(command.readOnly ?? [])],
    readWrite: [...(keep ? [context.scratch] : []), ...(command.readWrite ?? [])],
    env: {
      ...identity(context.agent),
      ROOM: keep ? context.scratch : '',
      REPOSITORY: repository.folder,
      FORMAT: repository.objectFormat,
      BUNDLE: command.bundle ? bundleOf(context) : '',
      PARENTS: command.bundle?.parents.join(' ') ?? '',
      ...command.env,
    },
  });
}

/** Takes what the room has bundled into the repository. */
export async function admit(repository: Repository, context: ToolContext, exec: ToolExec): Promise<void> {
  const exit = await repository.change(exec, ['bundle', 'unbundle', bundleOf(context)], {
    readOnly: [context.scratch],
  });
  demand(exit, 'git could not take over what it had prepared.');
}

function bundleOf(context: ToolContext): string {
  return join(context.scratch, 'bundle');
}
