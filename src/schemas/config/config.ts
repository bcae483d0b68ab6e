/** `agov.yaml`: one schema, read once, frozen, passed down. `docs/generated/configuration.md` is made from it. */
import { z } from 'zod';
import { durationPattern, parseDuration } from '../../kernel/index.ts';
import { checkpointConfigSchema } from '../context/checkpoint.ts';
import { memoryConfigSchema, tokensConfigSchema } from '../context/memory.ts';
import { statusConfigSchema } from '../context/status.ts';
import { nameSchema } from '../names.ts';
import { preflightConfigSchema } from '../work/preflight.ts';
import { teamsConfigSchema } from '../work/team.ts';
import { modelSchema } from './models.ts';

const duration = z.string().regex(durationPattern, 'write a whole number and a unit: 500ms, 30s, 15m, 2h, 7d');
const isGrace = (ms: number): boolean => ms >= 1000 && ms <= 3_600_000;
const listPerTier = z.strictObject({
  T0: z.array(z.string().min(1)).optional(),
  T1: z.array(z.string().min(1)).optional(),
  T2: z.array(z.string().min(1)).optional(),
  T3: z.array(z.string().min(1)).optional(),
});

const operatorSchema = z.strictObject({
  name: nameSchema.describe('Name under which their acts are recorded.'),
  user: z
    .string()
    .min(1)
    .optional()
    .describe('Operating-system user that may act as this operator. Without it any user of this machine may.'),
  roles: z
    .array(nameSchema)
    .max(20)
    .default([])
    .describe('What they are to the gates of pipelines that ask for a role: `[release, security]`.'),
});

const vaultName = z
  .string()
  .regex(/^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/, 'use letters, digits, _ and -, with / between');
const absolutePath = z.string().startsWith('/', 'write an absolute path');

const vaultSchema = z.strictObject({
  address: z
    .string()
    .regex(/^https?:\/\/[^\s/?#@]+\/?$/, 'write scheme, host and port: https://vault.example:8200')
    .refine((text) => URL.canParse(text), 'is no URL')
    .refine(
      (text) => text.startsWith('https:') || /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?\/?$/.test(text),
      'use https: plain http is for this machine alone (127.0.0.1, localhost, [::1])',
    )
    .describe('A HashiCorp Vault server that keeps the secrets instead of `.agov/secrets.db`.'),
  mount: vaultName.default('agov').describe('KV version 2 mount that holds the secrets and the records of leases.'),
  prefix: z
    .string()
    .regex(/^[a-z0-9]{1,32}$/, 'use 1 to 32 of a-z and 0-9; a dash in it would let two projects share a name')
    .default('agov')
    .describe('What the names of all that agov makes in Vault begin with. Projects that share a server need two.'),
  namespace: vaultName.optional().describe('Namespace (Vault Enterprise).'),
  caFile: absolutePath
    .optional()
    .describe('PEM file of the only certificate authorities to believe. Without it, those of the system.'),
  deadline: duration.default('10s').describe('How long one request to the store may take, tries included.'),
  engines: z
    .record(
      z.string().regex(/^[a-z0-9_.-]{1,64}(?:\/[a-z0-9_.-]{1,64}){0,7}$/, 'write a secret’s path, such as dev/db'),
      z.strictObject({
        path: z.string().regex(/^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)+$/, 'write a path such as database/creds/app'),
        parameters: z.record(z.string(), z.string()).optional(),
      }),
    )
    .default({})
    .describe(
      'Secrets that an engine makes anew for each lease and revokes at its end (`dev/db: {path: database/creds/app}`).',
    ),
  auth: z
    .strictObject({
      appRole: vaultName
        .optional()
        .describe('Where AppRole is mounted. Without it a token is used, from `VAULT_TOKEN`.'),
      tokenFile: absolutePath.optional().describe('File with the token, mode 0600, where `VAULT_TOKEN` is not set.'),
      roleIdFile: absolutePath.optional().describe('File with the role id, where `AGOV_VAULT_ROLE_ID` is not set.'),
      secretIdFile: absolutePath
        .optional()
        .describe('File with the secret id, where neither `AGOV_VAULT_SECRET_ID` nor `…_FILE` is set.'),
    })
    .prefault({}),
});

export const configSchema = z
  .strictObject({
    version: z.literal(1).describe('Version of this file’s format.'),
    operators: z
      .array(operatorSchema)
      .min(1)
      .max(100)
      .describe('People who may add and revoke agents and approve intents. The first one is the default.'),
    sandbox: z
      .enum(['bubblewrap', 'none'])
      .default('bubblewrap')
      .describe('What contains the agents. `none` contains nothing, and each outcome says so.'),
    tiers: z
      .string()
      .regex(/^[A-Za-z0-9_.-]+\.ya?ml$/, 'name a YAML file beside agov.yaml')
      .optional()
      .describe('File beside agov.yaml with this project’s own declaration of tiers, instead of the built-in one.'),
    readOnly: z
      .array(z.string().startsWith('/'))
      .max(100)
      .default([])
      .describe('Absolute paths outside the project that sandboxes show read-only, for tools installed in odd places.'),
    protected: z
      .array(z.string().min(1))
      .max(100)
      .default([])
      .describe('Paths in the project that no agent may write, besides the governor’s own files.'),
    tools: listPerTier
      .default({})
      .describe('Programs that agents of a tier may run, instead of the tier’s own list. `*` is any.'),
    hosts: listPerTier
      .default({})
      .describe('Hosts (`host` or `host:port`) that agents of a tier may reach. None by default.'),
    branches: z
      .strictObject({
        protected: z
          .array(z.string().min(1))
          .default(['main', 'master'])
          .describe('Branches that only a merge by approval may change.'),
      })
      .prefault({}),
    approvals: z
      .strictObject({
        ttl: duration.default('1h').describe('How long an approval may wait to be given and used.'),
      })
      .prefault({}),
    limits: z
      .strictObject({
        intentsPerRun: z
          .int()
          .min(1)
          .max(1_000_000)
          .default(10_000)
          .describe('Intents of one run before all are denied.'),
        denialsPerRun: z.int().min(1).max(10_000).default(100).describe('Denials in one run before all is denied.'),
      })
      .prefault({}),
    output: z
      .strictObject({
        keep: z
          .int()
          .min(0)
          .max(1_073_741_824)
          .default(8_388_608)
          .describe('Bytes of each output stream that are kept as an artifact. The digest covers what is kept.'),
      })
      .prefault({}),
    secrets: z.strictObject({ vault: vaultSchema.optional() }).prefault({}),
    models: z
      .record(nameSchema, modelSchema)
      .default({})
      .describe('Language models by name, which agents of kind `llm` may ask. See the guide to agents.'),
    ledger: z
      .strictObject({
        transit: z
          .strictObject({
            mount: vaultName.default('transit').describe('Where Vault’s transit engine is mounted.'),
            key: z
              .string()
              .regex(/^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?$/, 'use letters, digits, _, . and -')
              .default('ledger')
              .describe(
                'Its Ed25519 key, which signs the ledger’s heads in place of the key file. For a new ledger alone; `ledger: {transit: {}}` takes both defaults. Needs `secrets.vault`.',
              ),
          })
          .optional(),
      })
      .prefault({}),
    state: z
      .strictObject({
        url: z
          .string()
          .regex(/^rediss?:\/\//, 'write redis://HOST:PORT, or rediss://HOST:PORT for TLS')
          .regex(/^[^:]+:\/\/[^:@/]*(?:@|(?::\d+)?\/?$|\[)/, 'leave the password out: it goes into AGOV_STATE_PASSWORD')
          .optional()
          .describe(
            'Server of the Redis protocol that keeps the state for several hosts, as `redis://USER@HOST:PORT` or `rediss://…` for TLS. Its password is read from the variable `AGOV_STATE_PASSWORD` alone. Without it the state is in `.agov/state.db`.',
          ),
        caFile: z
          .string()
          .startsWith('/', 'write an absolute path')
          .optional()
          .describe('PEM file of the only certificate authorities to believe. Without it, those of the system.'),
        deadline: duration.default('2s').describe('What a call to the state server ends within.'),
        grace: duration
          .refine((text) => !durationPattern.test(text) || isGrace(parseDuration(text)), 'write 1s to 1h')
          .default('10s')
          .describe(
            'How long the state may be out of reach before a host stops what its agents above T0 run. Nothing starts meanwhile.',
          ),
      })
      .prefault({}),
    engine: z
      .enum(['embedded', 'bullmq'])
      .default('embedded')
      .describe(
        'Where the stages of pipelines are done: in the process of `agov pipeline run`, or by workers (`agov worker`) on any number of hosts, which needs `state.url`.',
      ),
    fleet: z
      .strictObject({
        trusted: z
          .array(z.strictObject({ name: nameSchema, key: z.string().min(1).max(512) }))
          .max(1000)
          .default([])
          .describe(
            'Other hosts whose work and whose results count here: a name for people, and the line that `agov ledger key` prints there. This host’s own key counts always.',
          ),
        artifacts: z
          .strictObject({
            most: z
              .int()
              .min(0)
              .max(268_435_456)
              .default(16_777_216)
              .describe(
                'Bytes of artifacts that a worker sends back for one stage by way of the state server; what is beyond stays on the worker.',
              ),
          })
          .prefault({}),
      })
      .prefault({}),
    serve: z
      .strictObject({
        listen: z
          .string()
          .regex(/^(?:\/.+|(?:127\.0\.0\.1|localhost|\[::1\]):\d{1,5})$/, 'write an absolute path, or 127.0.0.1:PORT')
          .optional()
          .describe(
            'Where `agov serve` tells its health: the path of a Unix socket, or a port of this machine alone (`127.0.0.1:9611`). Without it the socket is `.agov/serve.sock`.',
          ),
        every: duration
          .default('10s')
          .describe('How often `agov serve` looks for what is to be settled, expired, ended or brought in line.'),
        healthEvery: duration
          .default('30s')
          .describe('How often `agov serve` looks at everything, as `agov doctor` does.'),
        drain: duration
          .default('10s')
          .describe('How long `agov serve` may take to finish what it is at when it is told to stop.'),
        publish: z
          .strictObject({
            folder: absolutePath
              .optional()
              .describe(
                'Folder into which `agov serve` writes the log as C2SP tlog-tiles, for a web server or a mirror; outside the project, where no agent writes.',
              ),
            every: duration.default('5m').describe('How often it does.'),
          })
          .prefault({}),
      })
      .prefault({}),
    teams: teamsConfigSchema.prefault({}),
    preflight: preflightConfigSchema.prefault({}),
    checkpoint: checkpointConfigSchema.prefault({}),
    memory: memoryConfigSchema.prefault({}),
    tokens: tokensConfigSchema.prefault({}),
    status: statusConfigSchema.prefault({}),
    terraform: z
      .strictObject({
        environments: z
          .record(z.string(), z.string())
          .default({})
          .describe('Folder of the project to environment name (`infra/prod: prod`). A folder not named is `prod`.'),
      })
      .prefault({}),
  })
  .superRefine(({ ledger, secrets }, context) => {
    if (!ledger.transit || secrets.vault) return;
    const message = 'needs a Vault: set secrets.vault.address, or take ledger.transit out';
    context.addIssue({ code: 'custom', path: ['ledger', 'transit'], message });
  });

export type Config = z.infer<typeof configSchema>;
