/** The artifacts that a stage declares: standard output by its digest, files of the workspace by their bytes. */
import { constants, open, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifacts } from '../../../../governance/evidence/index.ts';
import { isInside } from '../../../../governance/governor/index.ts';
import { AgovError } from '../../../../kernel/index.ts';
import type { ArtifactRef, Stage } from '../../../../schemas/index.ts';

const maxArtifact = 256 * 1024 * 1024;

export interface KeepParts {
  readonly artifacts: Artifacts;
  /** The real path of a stage's workspace. @throws WORKSPACE_INVALID */
  workspace(folder: string): Promise<string>;
  /** Absolute paths of which nothing becomes an artifact: no agent may read them. */
  readonly hidden: readonly string[];
}

/** @throws AgovError TOOL_FAILED where one was not made, INPUT_INVALID where it is none that can be kept */
export async function keepArtifacts(
  parts: KeepParts,
  stage: Stage,
  effects: readonly ArtifactRef[],
): Promise<readonly ArtifactRef[]> {
  // What a command prints is kept by its outcome; what a tool or an agent makes is the stage's too.
  const artifacts = stage.run !== undefined ? [] : [...effects];
  for (const [name, source] of Object.entries(stage.artifacts)) {
    const stdout = effects.find((kept) => kept.name === 'stdout');
    const kept =
      source === 'stdout' ? stdout && { ...stdout, name } : await keepFile(parts, stage.workspace, source, name);
    if (!kept) throw new AgovError('TOOL_FAILED', { what: `Artifact "${name}" (${source}) was not made.` });
    artifacts.push(kept);
  }
  return artifacts;
}

async function keepFile(
  { artifacts, hidden, ...parts }: KeepParts,
  folder: string,
  source: string,
  name: string,
): Promise<ArtifactRef | undefined> {
  const workspace = await parts.workspace(folder);
  const path = await realpath(join(workspace, source)).catch(() => undefined); // absent: told by the caller
  if (path === undefined) return undefined;
  // A pipe in its place would make an ordinary open wait for ever; a socket cannot be opened at all.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  await using file = await open(path, flags).catch(() => undefined);
  if (file === undefined) return undefined;
  // The agent may have left a symlink to what is not its own, and another may swap a folder on the way at any moment:
  // what counts is the file that was opened.
  const opened = await readlink(`/proc/self/fd/${file.fd}`);
  if (!isInside(opened, workspace) || hidden.some((at) => isInside(opened, at))) return undefined;
  const stat = await file.stat();
  if (!stat.isFile()) throw new AgovError('INPUT_INVALID', { what: `Artifact ${source} is not a regular file.` });
  if (stat.size > maxArtifact) {
    throw new AgovError('INPUT_INVALID', { what: `Artifact ${source} is over ${maxArtifact} bytes.` });
  }
  return await artifacts.put(name, await file.readFile());
}
