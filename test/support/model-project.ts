/** A project with one agent that is a language model, whose model is scripted. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must, type TestProject, testProject } from './cli.ts';
import { type Answer, type AskedModel, type ModelServer, modelServer } from './model-server.ts';

export interface ModelProjectOptions {
  readonly agents?: Readonly<Record<string, string>>;
  readonly answers: readonly (Answer | ((asked: AskedModel) => Answer))[];
  readonly model?: Readonly<Record<string, string | number>>;
  readonly definition?: {
    readonly name?: string;
    readonly tier?: string;
    readonly tools?: readonly string[];
    /** With the answer `{summary, ok}`. */
    readonly output?: boolean;
    readonly approvals?: string;
    readonly limits?: string;
    /** Lines at the end. */
    readonly more?: string;
  };
}

export interface ModelProject extends Omit<TestProject, typeof Symbol.dispose>, AsyncDisposable {
  readonly server: ModelServer;
  readonly key: string;
}

const output = `
    output:
      type: object
      properties: { summary: { type: string }, ok: { type: boolean } }
      required: [summary, ok]`;

export async function modelProject(options: ModelProjectOptions): Promise<ModelProject> {
  const server = await modelServer(options.answers);
  const project = await testProject(options.agents);
  const key = 'sk-scripted-4242424242';
  await must(project.agovWith(`${key}\n`, 'secret', 'set', 'models/main'));
  const settings = { provider: 'openai-compatible', model: 'scripted', baseUrl: server.url, key: 'models/main' };
  const all = { ...settings, prices: { input: 1, output: 5 }, maxRetries: 0, maxOutput: 1000, ...options.model };
  appendFileSync(join(project.root, 'agov.yaml'), `\nmodels: { main: ${JSON.stringify(all)} }\n`);
  const { name = 'reviewer', tier = 'T0', tools = ['fs', 'exec'], ...rest } = options.definition ?? {};
  mkdirSync(join(project.root, 'agents'), { recursive: true });
  writeFileSync(
    join(project.root, 'agents', `${name}.yaml`),
    `apiVersion: agov/v1
kind: Agent
name: ${name}
tier: ${tier}
runs:
  llm:
    model: main
    instructions: You look after this project.
    tools: [${tools.join(', ')}]
    approvals: ${rest.approvals ?? 'park'}
    limits: ${rest.limits ?? '{}'}${rest.output ? output : ''}
${rest.more ?? ''}
`,
  );
  return {
    ...project,
    ...{ server, key },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      project[Symbol.dispose]();
    },
  };
}
