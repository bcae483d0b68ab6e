/** Where teams are written: `teams/` of the project. No agent may write it, as none may write definitions. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readBeside } from '../../agents/index.ts';

export const teamFolder = 'teams';

export function teamFile(root: string, name: string): string {
  return join(root, teamFolder, `${name}.yaml`);
}

/** @throws NOT_FOUND, INPUT_INVALID */
export function readTeam(root: string, file: string): string {
  return readBeside(root, file, teamFolder);
}

/** Names of the files that there are. */
export function teamNames(root: string): readonly string[] {
  try {
    const files = readdirSync(join(root, teamFolder));
    return files
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => file.slice(0, -'.yaml'.length))
      .sort();
  } catch {
    return []; // a project without teams
  }
}
