/** What every command over a pipeline file begins with: its text, what the project knows, the parameters given. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { App } from '../../../app/index.ts';
import { utf8 } from '../../../config.ts';
import { AgovError, isAgovError, messageOf } from '../../../kernel/index.ts';
import { mustDefine } from '../../../work/agents/index.ts';
import { type Known, projectTemplates, type TemplateFiles } from '../../../work/pipeline/index.ts';
import { mustTeam } from '../../../work/teams/index.ts';
import { type Cli, oneLine } from '../frame/index.ts';

export function readPipeline(cli: Cli, file: string): string {
  const path = resolve(cli.cwd, file);
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new AgovError('NOT_FOUND', {
      what: `The pipeline ${file} cannot be read.`,
      why: messageOf(error),
      fix: 'Check the path; "agov pipeline new" writes a first one.',
      cause: error,
    });
  }
  return utf8(bytes, file);
}

/** What `file` may name. */
export async function known(cli: Cli, app: App, file: string): Promise<Known & { readonly templates: TemplateFiles }> {
  const agents = await (await app.roster()).list();
  return {
    agents: new Map(agents.map((agent) => [agent.name, agent])),
    tools: app.tools,
    definitionFault: (agent) => definitionFault(app, agent),
    teamLead: (team) => teamLead(app, team),
    templates: templatesFor(cli, app, file),
    operators: app.config.operators,
  };
}

function definitionFault({ knownToAgents }: App, agent: string): string | undefined {
  try {
    mustDefine(agent, knownToAgents);
    return undefined;
  } catch (error) {
    if (!isAgovError(error)) throw error;
    return [error.what, error.fix].filter(Boolean).join(' ');
  }
}

function teamLead({ knownToTeams }: App, team: string): { lead: string } | { fault: string } {
  try {
    return { lead: mustTeam(team, knownToTeams).value.lead };
  } catch (error) {
    if (!isAgovError(error)) throw error;
    return { fault: [error.what, error.fix].filter(Boolean).join(' ') };
  }
}

export function templatesFor(cli: Cli, { project: { root, data } }: App, file: string): TemplateFiles {
  // What agents write in their working folders is nobody's template.
  return projectTemplates({ root, hidden: [data, join(root, '.worktrees')], cwd: cli.cwd }, file);
}

/** `name=value` once each. @throws USAGE */
export function pairs(given: readonly string[]): Record<string, string> {
  const read: Record<string, string> = {};
  for (const text of given) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      throw new AgovError('USAGE', { what: `"${oneLine(text)}" is no parameter.`, fix: 'Write --param NAME=VALUE.' });
    }
    if (Object.hasOwn(read, name)) throw new AgovError('USAGE', { what: `The parameter "${name}" is given twice.` });
    read[name] = value;
  }
  return read;
}
