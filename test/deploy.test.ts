/** What is deployed: that it parses, names files that exist, pins what it pulls, and opens nothing to the world. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { repository, textOf } from './support/files.ts';
import { itWith } from './support/needs.ts';
import { stateCommands } from './support/redis-server.ts';

const mount = z.strictObject({ source: z.string(), target: z.string() });
const texts = z.array(z.string());

/** The members of the Compose specification that we use, each under its own name: one that is misspelt is refused. */
const composeSchema = z.strictObject({
  name: z.string(),
  'x-closed': z.unknown(),
  services: z.record(
    z.string(),
    z.strictObject({
      image: z.string(),
      build: z.strictObject({ context: z.string(), dockerfile: z.string() }).optional(),
      user: z.string().regex(/^[1-9]\d*:[1-9]\d*$/),
      init: z.boolean().optional(),
      entrypoint: texts.optional(),
      command: texts,
      working_dir: z.string().optional(),
      stop_grace_period: z.string().optional(),
      restart: z.literal('unless-stopped'),
      read_only: z.literal(true),
      cap_drop: z.tuple([z.literal('ALL')]),
      security_opt: texts,
      pids_limit: z.int().optional(),
      mem_limit: z.string(),
      ulimits: z.record(z.string(), z.int()).optional(),
      environment: z.record(z.string(), z.string()).optional(),
      configs: z.array(mount).optional(),
      secrets: z.array(z.union([z.string(), mount])).optional(),
      volumes: texts,
      tmpfs: texts,
      networks: texts,
      ports: texts.optional(),
      depends_on: z.record(z.string(), z.strictObject({ condition: z.literal('service_healthy') })).optional(),
      healthcheck: z.strictObject({
        test: texts,
        interval: z.string(),
        timeout: z.string(),
        start_period: z.string().optional(),
        retries: z.int(),
      }),
      logging: z.strictObject({ driver: z.string(), options: z.record(z.string(), z.string()) }),
    }),
  ),
  networks: z.record(z.string(), z.strictObject({ driver: z.string() })),
  volumes: z.record(z.string(), z.strictObject({})),
  configs: z.record(z.string(), z.strictObject({ file: z.string() })),
  secrets: z.record(z.string(), z.strictObject({ file: z.string() })),
});

describe('compose.yaml', () => {
  const text = textOf('compose.yaml');
  const compose = composeSchema.parse(parse(text, { merge: true }));
  const services = Object.entries(compose.services);

  it('pins every image to one version', () => {
    for (const [, { image }] of services) expect(image).toMatch(/:v?\d+\.\d+\.\d+$/);
    for (const [, image = ''] of textOf('Dockerfile').matchAll(/^FROM (\S+)/gm))
      expect(image).toMatch(/:\d+\.\d+\.\d+-/);
  });

  it('publishes nothing beyond this machine', () => {
    for (const port of services.flatMap(([, { ports = [] }]) => ports)) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('gives no privilege, and lets nobody gain one', () => {
    for (const [, { security_opt }] of services) expect(security_opt).toContain('no-new-privileges:true');
    expect(text).not.toMatch(/privileged: *true|cap_add|docker\.sock|network_mode: *host/);
  });

  it('gives no two PID namespaces one host name: each would take the other’s governors for dead', () => {
    expect(text).not.toMatch(/^ *(?:hostname|uts|pid):/m);
    expect(textOf('docs/production.md')).toContain('`uts: host`');
  });

  it('mounts files that exist, besides the secrets that each makes for themselves', () => {
    const files = Object.values({ ...compose.configs, ...compose.secrets }).map(({ file }) => file);
    const own = files.filter((file) => file.startsWith('./deploy/secrets/'));
    expect(files.filter((file) => !own.includes(file) && !existsSync(join(repository, file)))).toEqual([]);
    const page = textOf('docs/production.md');
    expect(own.filter((file) => !page.includes(file.replace('./deploy/secrets/', '')))).toEqual([]);
    expect(Object.values(compose.secrets).every(({ file }) => file.startsWith('./deploy/secrets/'))).toBe(true);
    expect(textOf('.gitignore')).toContain('deploy/secrets/');
  });

  it('refers to secrets, configurations, volumes and networks that are declared', () => {
    for (const [, { secrets = [], configs = [], volumes, networks }] of services) {
      for (const one of secrets) expect(compose.secrets).toHaveProperty(typeof one === 'string' ? one : one.source);
      for (const { source } of configs) expect(compose.configs).toHaveProperty(source);
      for (const name of networks) expect(compose.networks).toHaveProperty(name);
      for (const [from = ''] of volumes.map((volume) => volume.split(':/'))) {
        if (!from.startsWith('$')) expect(compose.volumes).toHaveProperty(from);
      }
    }
  });
});

describe('deploy/', () => {
  it('gives the state’s user what the adapter needs, and starts Dragonfly as it must be', () => {
    const [, agov = ''] = textOf('deploy/dragonfly/dragonfly.acl.example').split('\n');
    const given = agov.toLowerCase().split(' ');
    expect(stateCommands.split(' ').filter((command) => !given.includes(command))).toEqual([]);
    const flags = textOf('deploy/dragonfly/dragonfly.flags').split('\n');
    expect(flags).toEqual(expect.arrayContaining(['--cluster_mode=emulated', '--lock_on_hashtags=true', '--tls=true']));
    expect(flags.join('\n')).not.toContain('requirepass');
  });

  it('has a Vault with Raft and TLS, and an entry point that can be run', () => {
    const vault = textOf('deploy/vault/vault.hcl');
    expect(vault).toMatch(/^storage "raft" \{/m);
    expect(vault).toMatch(/tls_min_version\s+= "tls1[23]"/);
    expect(vault).not.toMatch(/tls_disable|storage "file"|inmem/);
    expect(statSync(join(repository, 'deploy/governor/entrypoint.sh')).mode & 0o111).toBe(0o111);
  });

  itWith('systemd-analyze', 'has a unit that systemd takes, and that leaves little open', () => {
    const folder = mkdtempSync(join(tmpdir(), 'agov-unit-'));
    const unit = join(folder, 'agov.service');
    // The program and the user of the unit are not on the machine of a test.
    const text = textOf('deploy/systemd/agov.service').replace('/usr/local/bin/agov', '/bin/true');
    writeFileSync(unit, text.replace('User=agov', 'User=daemon').replace('Group=agov', 'Group=daemon'));
    execFileSync('systemd-analyze', ['verify', '--man=no', unit], { stdio: 'pipe' });
    const told = execFileSync('systemd-analyze', ['security', '--offline=true', '--threshold=40', unit], {
      encoding: 'utf8',
    });
    expect(told).toContain('Overall exposure level');
    rmSync(folder, { recursive: true });
  });

  it('covers no path of /proc in the unit: bubblewrap could then mount none', () => {
    const unit = textOf('deploy/systemd/agov.service').replace(/^#.*$/gm, '');
    expect(unit).not.toMatch(
      /ProtectProc|ProcSubset|ProtectKernelTunables|ProtectKernelLogs|ProtectHostname|PrivateUsers/,
    );
    expect(unit).toMatch(/RestrictNamespaces=user mnt pid net ipc uts cgroup\n/);
  });
});
