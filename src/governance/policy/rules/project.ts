/** The files of a project's `policies/` folder. What cannot be read is a fault: a rule that is not seen would be no rule. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { messageOf, systemCode } from '../../../kernel/index.ts';
import type { Fault } from '../../../schemas/index.ts';

export interface SourceFile {
  /** Relative to the project, with `/`. */
  readonly file: string;
  readonly text: string;
}

export interface PolicyFile extends SourceFile {
  readonly examples?: SourceFile;
}

export interface ProjectFiles {
  readonly files: readonly PolicyFile[];
  readonly faults: readonly Fault[];
}

const folder = 'policies';
const maxBytes = 1_048_576;
const cedarEnd = '.cedar';
const examplesEnd = '.examples.yaml';

/** Every `*.cedar` under `policies/` by name, each with its `*.examples.yaml`. A project without the folder has no policies. */
export async function readProject(projectDir: string): Promise<ProjectFiles> {
  const faults: Fault[] = [];
  const read = async (file: string): Promise<SourceFile | undefined> => {
    try {
      const bytes = await readFile(join(projectDir, file));
      if (bytes.length > maxBytes) faults.push(fileFault(file, `The file is over ${maxBytes} bytes.`));
      else return { file, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
    } catch (error) {
      // To gather: the fault names the file, and any fault refuses the set.
      faults.push(fileFault(file, `The file cannot be read: ${messageOf(error)}.`));
    }
    return undefined;
  };
  let names: string[];
  try {
    const found = await readdir(join(projectDir, folder), { recursive: true });
    names = found.map((name) => `${folder}/${name.split(sep).join('/')}`).sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      const there = await stat(projectDir).then(
        (at) => at.isDirectory(),
        () => false,
      ); // a fault either way
      return { files: [], faults: there ? [] : [fileFault(folder, `There is no folder ${projectDir}.`)] };
    }
    return { files: [], faults: [fileFault(folder, `The folder cannot be read: ${messageOf(error)}.`)] };
  }
  const files: PolicyFile[] = [];
  for (const name of names.filter((one) => one.endsWith(cedarEnd) && !basename(one).startsWith('.'))) {
    const source = await read(name);
    const examplesName = name.slice(0, -cedarEnd.length) + examplesEnd;
    const examples = names.includes(examplesName) ? await read(examplesName) : undefined;
    if (source) files.push({ ...source, ...(examples ? { examples } : {}) });
  }
  for (const name of names.filter((one) => one.endsWith(examplesEnd))) {
    const cedar = name.slice(0, -examplesEnd.length) + cedarEnd;
    if (!names.includes(cedar)) faults.push(fileFault(name, `There is no ${cedar} that these examples are about.`));
  }
  return { files, faults };
}

export function fileFault(file: string, message: string): Fault {
  return { file, line: 1, column: 1, path: '', message };
}
