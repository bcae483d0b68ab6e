/** A project with agents that are functions, so that whole teams of them run without a model. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestProject, testProject } from './cli.ts';

export interface TeamProject extends TestProject {
  /** Writes `agents/NAME.yaml` and the module that it runs; `code` is the body of its default export, with `agent` and `given`. */
  define(name: string, tier: string, code: string, more?: string): void;
  /** Writes `teams/NAME.yaml`, without its head. */
  team(name: string, text: string): void;
}

export async function teamProject(agents: Readonly<Record<string, string>>): Promise<TeamProject> {
  const project = await testProject(agents);
  for (const folder of ['agents', 'teams']) mkdirSync(join(project.root, folder), { recursive: true });
  return Object.assign(project, {
    define(name: string, tier: string, code: string, more = '') {
      const head = `apiVersion: agov/v1\nkind: Agent\nname: ${name}\ntier: ${tier}\n`;
      writeFileSync(join(project.root, 'agents', `${name}.yaml`), `${head}runs: { function: ./${name}.ts }\n${more}`);
      writeFileSync(
        join(project.root, 'agents', `${name}.ts`),
        `${helpers}export default async (agent, given) => {\n${code}\n};\n`,
      );
    },
    team(name: string, text: string) {
      writeFileSync(
        join(project.root, 'teams', `${name}.yaml`),
        `apiVersion: agov/v1\nkind: Team\nname: ${name}\n${text}`,
      );
    },
  });
}

/** What the functions of tests share. */
const helpers = `
import { createServer, request } from 'node:http';
const why = (answer) => answer.verdict === 'allow' ? 'allow' : answer.verdict + ': ' + answer.reasons[0];
const tried = (work) => work.then(why, (error) => error.code + ': ' + error.message);
const ended = async (agent, child) => {
  for (;;) {
    const now = await agent.call('await', { child, timeoutMs: 20000 });
    if (now.state === 'ended') return now.result;
  }
};
`;
