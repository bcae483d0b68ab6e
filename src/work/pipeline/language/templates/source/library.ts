/** Finds the template that `uses` means. Each file is read once; how many there are, and how large, is bounded. */
import { posix } from 'node:path';
import type { YamlFile } from '../../../../../schemas/index.ts';
import { type Fault, nearest, readYamlDocuments, type Template, templateSchema } from '../../../../../schemas/index.ts';
import { type Module, templateModule } from './module.ts';

/** Where templates are read from: the project, or what a run has kept. */
export interface TemplateFiles {
  /** Path in the project of the file that is parsed. */
  readonly from: string;
  /** By path in the project, or as `agov:name`. `file` is the path as faults show it. */
  read(path: string): { readonly text: string; readonly file: string } | Refusal;
  /** Names of the templates that come with agov. */
  shipped(): readonly string[];
}

export interface Refusal {
  readonly message: string;
  readonly suggestion?: string | undefined;
}

export interface Library {
  find(uses: string, from: Module): Module | Refusal;
  /** What is wrong with the files that were read, each told once. */
  readonly faults: readonly Fault[];
  /** Texts by path, and by the name that faults show. */
  readonly texts: ReadonlyMap<string, string>;
  readonly shown: ReadonlyMap<string, string>;
}

const maxFiles = 64;
const maxBytes = 4 * 1_048_576;
const reference = /^(?:(agov:([a-z][a-z0-9-]*))|(\.{1,2}\/[^#]+\.ya?ml)#([a-z][a-z0-9-]*))$/;

export function createLibrary(files: TemplateFiles | undefined): Library {
  const [texts, shown, faults] = [new Map<string, string>(), new Map<string, string>(), [] as Fault[]];
  const read = new Map<string, ReadonlyMap<string, Module> | Refusal>();
  let bytes = 0;

  const open = (path: string): ReadonlyMap<string, Module> | Refusal => {
    if (!files) return { message: 'Templates cannot be used here.' };
    if (read.size >= maxFiles) return { message: `More than ${maxFiles} files of templates are used.` };
    const found = files.read(path);
    if ('message' in found) return found;
    bytes += Buffer.byteLength(found.text);
    if (bytes > maxBytes) return { message: `The templates used are over ${maxBytes} bytes.` };
    texts.set(path, found.text);
    shown.set(found.file, found.text);
    return modulesOf(found.text, found.file, path, faults);
  };

  return {
    faults,
    texts,
    shown,
    find(uses, from) {
      const [, own, ownName = '', file = '', name = ''] = reference.exec(uses) ?? [];
      if (own === undefined && file === '') return malformed(uses);
      const path = own ?? posix.join(posix.dirname(from.path), file);
      const outside = own === undefined && (from.path.startsWith('agov:') || /^(?:\.\.(?:\/|$)|\/)/.test(path));
      if (outside) return { message: `"${shortened(uses)}" leads out of the project.` };
      const known = read.get(path) ?? open(path);
      read.set(path, known);
      if ('message' in known) {
        const hint = own === undefined ? undefined : nearest(ownName, files?.shipped() ?? []);
        return hint === undefined ? known : { ...known, suggestion: `agov:${hint}` };
      }
      const wanted = own === undefined ? name : ownName;
      const module = known.get(wanted);
      if (module) return module;
      return { message: `${path} has no template "${wanted}".`, suggestion: nearest(wanted, known.keys()) };
    },
  };
}

function modulesOf(text: string, file: string, path: string, faults: Fault[]): ReadonlyMap<string, Module> | Refusal {
  const modules = new Map<string, Module>();
  const all = readYamlDocuments<Template>(templateSchema, text, file);
  for (const document of all) {
    if (!document.ok) faults.push(...document.faults);
    else if (modules.has(document.value.name)) faults.push(twin(document));
    else modules.set(document.value.name, templateModule(document, path));
  }
  return all.some(({ ok }) => !ok) ? { message: `${path} has faults.` } : modules;
}

function twin({ value: { name }, fault }: YamlFile<Template>): Fault {
  return fault(['name'], `There is a template "${name}" in this file already.`);
}

function malformed(uses: string): Refusal {
  const message = 'A template is written as agov:name or ./file.yaml#name, from the folder of this file';
  return { message: `${message}; this is "${shortened(uses)}".` };
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
