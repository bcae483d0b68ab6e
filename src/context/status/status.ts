/** The statuses of one project: walked, swept, mended, changed, shown. */
import { join, resolve } from 'node:path';
import type { OpenHistory } from '../../adapters/history/port.ts';
import { AgovError, type Env, type IdSource, parseDuration } from '../../kernel/index.ts';
import { type Config, faultsError } from '../../schemas/index.ts';
import { readStatus, type StatusValue, splitFile, statusFile } from './format/index.ts';
import { type Dashboard, dashboardOf, type Graph, graphOf } from './overview/index.ts';
import { type Finding, findingsOf, mend } from './sweep/index.ts';
import { type Directory, readCache, rulesOf, type Walked, walk, writeCache } from './tree/index.ts';
import { type About, hold, openPlace, openTurns, type Updated, update, type Wanted } from './update/index.ts';

export interface StatusParts {
  /** Real path of the project. */
  readonly root: string;
  /** Where the cache and the lock lie. */
  readonly data: string;
  readonly config: Config['status'];
  readonly env: Env;
  readonly ids: IdSource;
  readonly history: OpenHistory;
}

export interface Looking {
  readonly signal?: AbortSignal;
  onProgress?(directories: number): void;
}

export interface SweepReport {
  readonly directories: number;
  readonly statuses: number;
  readonly findings: readonly Finding[];
  /** What could not be looked at, one sentence each. */
  readonly unknown: readonly string[];
}

export interface Shown {
  readonly path: string;
  readonly status: StatusValue;
  readonly body: string;
}

export interface Status extends AsyncDisposable {
  /** `directory` is absolute, here and below: what is told is of it and what lies below. */
  sweep(directory: string, options: Looking & { readonly fix?: string }): Promise<SweepReport>;
  dashboard(directory: string, options?: Looking): Promise<Dashboard>;
  graph(directory: string, options?: Looking): Promise<Graph>;
  show(directory: string): Shown;
  /** As whoever it is that acts; `within` is what happens around the write. `root` is where an agent may work. */
  update(
    directory: string,
    wanted: Wanted,
    as?: { readonly root: string; readonly within: (write: () => void, about: About) => Promise<void> },
  ): Promise<Updated>;
}

export function openStatus({ root, data, config, env, ids, history }: StatusParts): Status {
  const turns = openTurns(join(data, 'status.lock'), env);
  const cachePath = join(data, 'status.cache');
  let last: Walked | undefined;

  async function look(options: Looking): Promise<readonly Directory[]> {
    const before = last?.seen ?? readCache(cachePath);
    const walked = await walk({ ...options, root, rules: rulesOf(config.ignore), before, env });
    if (walked.changed) writeCache(cachePath, walked.seen, ids());
    last = walked;
    return walked.directories;
  }

  /** From the root; empty for it. @throws NOT_FOUND, WORKSPACE_INVALID */
  function within(directory: string): string {
    using place = openPlace(root, directory);
    return place.path;
  }

  async function findings(path: string, options: Looking) {
    const directories = await look(options);
    const known = await history(root);
    const { signal } = options;
    const all = await findingsOf({
      ...{ directories, history: known, track: config.track, now: env.now() },
      ...(signal ? { signal } : {}),
    });
    const inside = (one: string): boolean => path === '' || one === path || one.startsWith(`${path}/`);
    return { directories, known, found: all.filter((one) => inside(one.path)) };
  }

  return {
    async sweep(directory, { fix, ...options }) {
      const path = within(directory);
      const { directories, known, found } = await findings(path, options);
      const fixed = fix === undefined ? found : await mend({ env, ids, turns }, root, found, fix, options.signal);
      return {
        directories: directories.length,
        statuses: directories.filter(({ status, faults }) => status || faults).length,
        findings: fixed,
        unknown: known.ok ? [] : [`What is stale is not known: ${known.why}`],
      };
    },
    async dashboard(directory, options = {}) {
      const path = within(directory);
      return dashboardOf(await look(options), { now: env.now(), quietMs: parseDuration(config.quiet), within: path });
    },
    async graph(directory, options = {}) {
      const path = within(directory);
      return graphOf(await look(options), path);
    },
    show(directory) {
      using place = openPlace(root, directory);
      using held = hold(place);
      const file = place.path === '' ? statusFile : `${place.path}/${statusFile}`;
      if (held.bytes === undefined) {
        const fix = `agov status update ${place.path || '.'} --phase in-progress`;
        throw new AgovError('NOT_FOUND', { what: `There is no ${file}.`, fix });
      }
      const text = held.bytes.toString('utf8');
      const read = readStatus(text, file);
      if (!read.ok) throw faultsError('STATUS_INVALID', file, read.faults);
      const parts = splitFile(text);
      return {
        path: place.path || '.',
        status: read.value,
        body: parts.kind === 'parts' ? parts.rest.slice(parts.bodyAt) : '',
      };
    },
    update: (directory, wanted, as) =>
      update(
        { env, ids, turns, ...(as === undefined ? {} : { within: as.within }) },
        as?.root ?? root,
        resolve(as?.root ?? root, directory),
        wanted,
      ),
    async [Symbol.asyncDispose]() {
      turns[Symbol.dispose]();
    },
  };
}
