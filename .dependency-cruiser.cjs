/** The bands of docs/ARCHITECTURE.md: imports point one way, a part is entered by its index, adapters stay apart. */
const bands = ['kernel', 'schemas', 'adapters', 'governance', 'context', 'work', 'runtime', 'review', 'surfaces'];

const upward = bands.slice(0, -1).map((band, i) => ({
  name: `${band}-looks-down-only`,
  comment: `${band}/ may import only from the bands below it.`,
  severity: 'error',
  from: { path: `^src/${band}/` },
  to: { path: [...bands.slice(i + 1).map((b) => `^src/${b}/`), '^src/app(?:\\.ts$|/)'] },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...upward,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nothing-imports-main',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/main\\.ts$' },
    },
    {
      name: 'part-by-its-index',
      comment: 'A part (band/part/) is entered by its index.ts; adapters by port.ts from inside src.',
      severity: 'error',
      from: { path: '^src/(governance|context|work|runtime|review|surfaces)/([^/]+)/' },
      to: {
        path: '^src/(governance|context|work|runtime|review|surfaces)/([^/]+)/',
        pathNot: ['^src/$1/$2/', '/index\\.ts$'],
      },
    },
    {
      name: 'kernel-and-schemas-by-index',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/kernel/', '^src/schemas/'] },
      to: {
        path: '^src/(kernel|schemas)/',
        pathNot: ['/index\\.ts$'],
      },
    },
    {
      name: 'only-app-picks-adapters',
      comment: 'Everybody else sees ports.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/app/', '^src/adapters/', '\\.test\\.ts$'] },
      to: { path: '^src/adapters/', pathNot: ['/port\\.ts$'] },
    },
    {
      name: 'adapters-never-meet',
      comment: 'The client of Vault, and what git is told, are libraries of theirs, not adapters.',
      severity: 'error',
      from: { path: '^src/adapters/([^/]+)/', pathNot: ['\\.test\\.ts$'] },
      to: { path: '^src/adapters/', pathNot: ['^src/adapters/$1/', '^src/adapters/(?:vault|git)-client/index\\.ts$'] },
    },
    {
      name: 'verifier-stands-alone',
      comment: 'An auditor runs it with nothing but kernel and node:crypto.',
      severity: 'error',
      from: { path: '^src/governance/ledger/verifier/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: ['^src/kernel/', '^src/governance/ledger/verifier/', '^crypto$', '^node:crypto$'] },
    },
    {
      name: 'agent-library-stands-alone',
      comment: 'It is shown inside sandboxes, and nothing else of ours is there.',
      severity: 'error',
      from: { path: '^src/agent-client/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: ['^src/agent-client/', '^node:', '^(?:http|module|os|path|url|child_process)$'] },
    },
    {
      name: 'shipped-agents-stand-alone',
      comment: 'They run in sandboxes, with the agent library and what finds secrets, and nothing else of ours.',
      severity: 'error',
      from: { path: '^src/work/agents/shipped/[^/]+/' },
      to: {
        pathNot: [
          '^src/work/agents/shipped/(?:[^/]+/|inputs\\.ts$)',
          '^src/agent-client/index\\.ts$',
          '^src/governance/redaction/index\\.ts$',
          '^node:',
          '^(?:fs|path|crypto|child_process)$',
        ],
      },
    },
    {
      name: 'shipped-inputs-are-types-there',
      comment: 'zod is not in their sandboxes.',
      severity: 'error',
      from: { path: '^src/work/agents/shipped/[^/]+/' },
      to: { path: '^src/work/agents/shipped/inputs\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-dev-packages-in-src',
      severity: 'error',
      from: { path: '^src/', pathNot: ['\\.test\\.ts$', '/contract\\.ts$'] },
      to: { dependencyTypes: ['npm-dev'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
