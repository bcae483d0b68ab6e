/** Which resources the configuration in a folder names, with those of its modules; nothing is run for it. */
import { dirname, join, normalize } from 'node:path';
import { readText } from '../files.ts';
import { type Block, blocksOf } from './hcl.ts';

export interface Configuration {
  /** Addresses as the state has them, without index: `module.a.aws_vpc.main`. */
  readonly resources: ReadonlySet<string>;
  /** Modules whose source is not here, so that what they hold is not known: `module.vpc`. */
  readonly unread: readonly string[];
  /** `backend "s3"`: then the state lies elsewhere. */
  readonly backend: string | undefined;
  /** It and those of its modules. */
  readonly folders: ReadonlySet<string>;
}

const deepest = 10;

/** @param files of the repository */
export function readConfiguration(folder: string, files: readonly string[]): Configuration {
  const resources = new Set<string>();
  const unread: string[] = [];
  const folders = new Set<string>();
  let backend: string | undefined;
  const read = (at: string, prefix: string, depth: number): void => {
    folders.add(at);
    for (const block of filesIn(at, files).flatMap(blocksIn)) {
      const [type = '', name = ''] = block.labels;
      if (block.type === 'resource' && name !== '') resources.add(`${prefix}${type}.${name}`);
      if (block.type === 'terraform' && depth === 0)
        backend ??= block.inside.find((one) => /^(?:backend|cloud)/.test(one));
      if (block.type !== 'module' || type === '') continue;
      const inner = localFolder(at, block.attributes['source'], files);
      if (inner === undefined || depth >= deepest) unread.push(`${prefix}module.${type}`);
      else read(inner, `${prefix}module.${type}.`, depth + 1);
    }
  };
  read(folder, '', 0);
  return { resources, unread, backend, folders };
}

/** Folders with configuration that no other calls as a module. */
export function rootFolders(files: readonly string[]): readonly string[] {
  const folders = [...new Set(files.filter((file) => isConfiguration(file)).map((file) => dirname(file)))];
  const called = new Set(
    folders.flatMap((folder) =>
      filesIn(folder, files)
        .flatMap(blocksIn)
        .flatMap((block) => (block.type === 'module' ? [localFolder(folder, block.attributes['source'], files)] : [])),
    ),
  );
  return folders.filter((folder) => !called.has(folder)).sort();
}

function isConfiguration(file: string): boolean {
  return /\.tf(?:\.json)?$/.test(file);
}

function filesIn(folder: string, files: readonly string[]): readonly string[] {
  return files.filter((file) => isConfiguration(file) && dirname(file) === folder);
}

function localFolder(from: string, source: string | undefined, files: readonly string[]): string | undefined {
  if (source === undefined || !/^\.{1,2}(?:\/|$)/.test(source)) return undefined;
  const folder = normalize(join(from, source)).replace(/\/$/, '');
  return filesIn(folder, files).length > 0 ? folder : undefined;
}

function blocksIn(file: string): readonly Block[] {
  const text = readText(file) ?? '';
  return file.endsWith('.json') ? jsonBlocks(text) : blocksOf(text);
}

/** The JSON form: `{"resource": {"type": {"name": {…}}}, "module": {"name": {"source": …}}}`. */
function jsonBlocks(text: string): readonly Block[] {
  const root = asObject(parsed(text));
  const resources = Object.entries(asObject(root['resource'])).flatMap(([type, named]) =>
    Object.keys(asObject(named)).map((name) => block('resource', [type, name])),
  );
  const modules = Object.entries(asObject(root['module'])).map(([name, body]) => {
    const { source } = asObject(body);
    return { ...block('module', [name]), attributes: typeof source === 'string' ? { source } : {} };
  });
  return [...resources, ...modules];
}

function block(type: string, labels: readonly string[]): Block {
  return { type, labels, attributes: {}, inside: [] };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not a configuration that Terraform would take either
  }
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
