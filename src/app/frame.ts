/** What every part is opened with: where the project is, how it is configured, and who closes what was opened. */
import { readConfig } from '../config.ts';
import { type Env, type IdSource, idSource, systemEnv } from '../kernel/index.ts';
import { findRoot, openProject, type Project } from '../project.ts';
import type { Config } from '../schemas/index.ts';

export interface FrameOptions {
  /** Where the project is looked for, upwards. */
  readonly from: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly env?: Env;
}

export interface Frame extends AsyncDisposable {
  readonly env: Env;
  readonly ids: IdSource;
  readonly environment: NodeJS.ProcessEnv;
  readonly root: string;
  readonly project: Project;
  readonly config: Config;
  /** Closed with the app, in reverse order. */
  keep<T extends AsyncDisposable>(opening: T | Promise<T>): Promise<T>;
}

export function openFrame({ from, environment, env = systemEnv() }: FrameOptions): Frame {
  const ids = idSource(env);
  const root = findRoot(from);
  const config = readConfig(root, environment);
  const project = openProject(root, ids, environment);
  const opened: AsyncDisposable[] = [];
  return {
    ...{ env, ids, environment, root, project, config },
    async keep(opening) {
      const part = await opening;
      opened.push(part);
      return part;
    },
    async [Symbol.asyncDispose]() {
      for (const part of opened.splice(0).reverse()) await part[Symbol.asyncDispose]();
    },
  };
}

/** Calls `make` at the first call and keeps what it made. What failed is tried again: a process may outlive an outage. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
