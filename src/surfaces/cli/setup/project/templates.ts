/** What `agov init` writes. */

/** In the project and in git, so that editors find them in every clone; in pipelines/, which no agent writes. */
export const schemaFolder = 'pipelines/schemas';

export const ignoredPaths = ['.agov/', '.worktrees/'] as const;

export function configText(operator: string, user: string): string {
  return `# yaml-language-server: $schema=${schemaFolder}/agov.schema.json
# agov: the rules under which agents work in this project.
# Every setting with its default: docs/generated/configuration.md. Unknown keys are refused.
version: 1

# Who may add and revoke agents and approve what they ask. \`user\` ties an operator to a user of this machine.
operators:
  - name: ${operator}
    user: ${user}

# What contains the agents. "none" contains nothing, and every outcome says so.
sandbox: bubblewrap

# Hosts that agents may reach, by tier. None by default; T0 never has any.
# hosts:
#   T1: [api.example.com:443]

# Programs that agents may run, by tier. Any by default, because the sandbox contains them.
# tools:
#   T1: [sh, node, npm, git]

# Files that no agent may write, besides agov.yaml, policies/ and the hook settings.
# protected: [LICENSE]

# Which folder of Terraform is which environment. A folder that is not named counts as production.
# terraform:
#   environments:
#     infra/dev: dev

approvals:
  ttl: 1h
`;
}

export const exampleRule = `// A project's own rules. They can narrow what the tiers allow, and widen where it is allowed, never what.
// Each rule needs an id, and examples for and against it in example.examples.yaml: "agov policy check".

@id("no-lockfile-edits")
@reason("Lock files are written by package managers in review, not by agents.")
forbid (
  principal,
  action in [Agov::Action::"fs.write", Agov::Action::"fs.delete"],
  resource
)
when { resource.path like "*package-lock.json" };
`;

export const exampleRuleExamples = `no-lockfile-edits:
  matches:
    - agent: { tier: T1 }
      action: fs.write
      resource: web/package-lock.json
      facts: { inWorkspace: true, protected: false }
      verdict: deny
  ignores:
    - agent: { tier: T1 }
      action: fs.write
      resource: web/package.json
      facts: { inWorkspace: true, protected: false }
      verdict: allow
`;
