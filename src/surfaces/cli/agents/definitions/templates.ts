/** What `agov agent define` writes: a definition that works, and says what may be changed. */
import type { KindName } from '../../../../work/agents/index.ts';

export interface Wanted {
  readonly name: string;
  readonly tier: string;
  /** A model of agov.yaml, or the name that is to be set up. */
  readonly model: string;
}

const head = ({
  name,
  tier,
}: Wanted): string => `# What runs in the name of the agent "${name}". No agent can write this folder.
# Check it: agov agent check agents/${name}.yaml    Run it: agov agent run ${name} --task "…"
apiVersion: agov/v1
kind: Agent
name: ${name}
description: What it is for, in a sentence.

# What it needs and no more. The agent must be registered at this tier: agov agent add ${name} --tier ${tier}
tier: ${tier}

runs:
`;

const tail = `
# What one run may use at most, of each that is named.
budget:
  minutes: 30
  actions: 200
`;

const secrets = `
# Leased for each command, redacted from what it prints.
# secrets: { DATABASE_URL: dev/db }
`;

export const definitionTexts: Readonly<Record<KindName, (wanted: Wanted) => string>> = {
  llm: (wanted) => `${head(wanted)}  llm:
    # A model of "models" in agov.yaml.
    model: ${wanted.model}
    # Or a file beside this one: ./${wanted.name}.md
    instructions: |
      You look after this project. Read before you judge, and say what you have not seen.
    # Names (fs.read), groups (git), or exec for commands. The rules judge each use all the same.
    tools: [fs.read, exec]
    # What its answer must be; later stages of a pipeline read it as result.output.
    output:
      type: object
      properties:
        summary: { type: string }
        ok: { type: boolean }
      required: [summary, ok]
      additionalProperties: false
    # "park" waits for operators where something asks for approval; "tell" says to the model that it is refused for now.
    approvals: park
    limits: { steps: 30, timeout: 15m }
${secrets}${tail}`,
  process: (wanted) => `${head(wanted)}  process:
    # In the sandbox of its tier. The task comes in AGOV_TASK, the input of a stage as JSON in AGOV_INPUT.
    # What it prints is its answer: where that is JSON, later stages read it as result.output.
    command: [sh, -c, 'echo "asked to: $AGOV_TASK"']
    # env: { LANG: C.UTF-8 }
${secrets}${tail}`,
  function: (
    wanted,
  ) => `${head(wanted)}  # A module beside this file. Its default export is called in the sandbox: (agent, { task, input, signal }) => output
  function: ./${wanted.name}.ts
${secrets}${tail}`,
};

export const functionText = `// Runs in the sandbox, with no more rights than the agent has. What it returns is the agent's answer.
export default async (agent, { task, input }) => {
  const { tier } = await agent.whoami();
  return { task, input, tier };
};
`;
