/** What a repository is made of: languages, dependencies, build, infrastructure, licences. Told by names, and little content. */
import { basename, extname } from 'node:path';
import { type Listing, readFile, readText } from '../../frame/files.ts';
import { languageOf } from './languages.ts';

export interface Language {
  readonly language: string;
  readonly files: number;
  readonly lines: number;
  readonly bytes: number;
}

export interface Manifest {
  readonly file: string;
  readonly kind: string;
  readonly dependencies: number;
  /** The first of them, by name. */
  readonly names: readonly string[];
}

export interface Inventory {
  readonly files: number;
  readonly bytes: number;
  readonly languages: readonly Language[];
  readonly manifests: readonly Manifest[];
  readonly ci: readonly string[];
  readonly infrastructure: readonly { readonly kind: string; readonly file: string }[];
  readonly licences: readonly { readonly file: string; readonly licence: string }[];
  readonly cut: boolean;
}

const mostCounted = 2_097_152;
const mostNames = 50;
const mostListed = 200;

export function takeInventory({ files, cut }: Listing): Inventory {
  const languages = new Map<string, { files: number; lines: number; bytes: number }>();
  let bytes = 0;
  for (const file of files) {
    const content = readFile(file, mostCounted);
    if (!content) continue;
    const size = 'bytes' in content ? content.bytes.length : content.size;
    bytes += size;
    const language = languageOf(file);
    if (language === undefined) continue;
    const sum = languages.get(language) ?? { files: 0, lines: 0, bytes: 0 };
    const lines = 'bytes' in content ? linesIn(content.bytes) : 0;
    languages.set(language, { files: sum.files + 1, lines: sum.lines + lines, bytes: sum.bytes + size });
  }
  const named = <T>(of: (file: string) => T | undefined): T[] =>
    files
      .map(of)
      .filter((one) => one !== undefined)
      .slice(0, mostListed);
  return {
    files: files.length,
    bytes,
    languages: [...languages]
      .map(([language, sum]) => ({ language, ...sum }))
      .sort((a, b) => b.lines - a.lines || (a.language < b.language ? -1 : 1)),
    manifests: named(manifestOf),
    ci: named((file) => (ciFile.test(file) ? file : undefined)),
    infrastructure: named(infrastructureOf),
    licences: named(licenceOf),
    cut,
  };
}

function linesIn(bytes: Buffer): number {
  if (bytes.length === 0 || bytes.includes(0)) return 0;
  let lines = bytes.at(-1) === 10 ? 0 : 1;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines += 1;
  return lines;
}

const ciFile =
  /^(?:\.github\/workflows\/[^/]+\.ya?ml|\.gitlab-ci\.yml|\.circleci\/config\.yml|\.drone\.yml|\.travis\.yml|azure-pipelines\.yml|bitbucket-pipelines\.yml|Jenkinsfile|\.buildkite\/.+|\.woodpecker\/.+|\.ci\/.+)$/;

const infrastructureKinds: readonly [RegExp, string][] = [
  [/\.tf(?:\.json)?$/, 'terraform'],
  [/\.tfstate(?:\.backup)?$/, 'terraform state'],
  [/(?:^|\/)(?:Dockerfile|Containerfile)[^/]*$/, 'container'],
  [/(?:^|\/)(?:docker-)?compose(?:\.[^/]+)?\.ya?ml$/, 'compose'],
  [/(?:^|\/)Chart\.yaml$/, 'helm'],
  [/(?:^|\/)kustomization\.ya?ml$/, 'kustomize'],
  [/(?:^|\/)(?:playbooks?|roles)\/.+\.ya?ml$|(?:^|\/)ansible\.cfg$/, 'ansible'],
  [/(?:^|\/)(?:serverless|template|samconfig)\.(?:ya?ml|toml)$/, 'serverless'],
  [/(?:^|\/)Pulumi\.ya?ml$/, 'pulumi'],
];

function infrastructureOf(file: string): { kind: string; file: string } | undefined {
  const kind = infrastructureKinds.find(([pattern]) => pattern.test(file))?.[1];
  return kind === undefined ? undefined : { kind, file };
}

/** Lines of a manifest that name a dependency, with its name as the first group. */
const byLine: Readonly<Record<string, { readonly kind: string; readonly name: RegExp }>> = {
  'requirements.txt': { kind: 'pip', name: /^\s*([A-Za-z0-9][\w.-]*)\s*(?:[[=<>!~;@ ]|$)/gm },
  'go.mod': { kind: 'go', name: /^\s*(?:require\s+)?([a-z0-9][\w.-]*\.[\w.-]+\/\S+)\s+v\d/gm },
  'Cargo.lock': { kind: 'cargo', name: /^name = "([^"]+)"/gm },
  'poetry.lock': { kind: 'poetry', name: /^name = "([^"]+)"/gm },
  Gemfile: { kind: 'bundler', name: /^\s*gem\s+['"]([^'"]+)['"]/gm },
  'pom.xml': { kind: 'maven', name: /<dependency>[\s\S]{0,500}?<artifactId>([^<]+)<\/artifactId>/g },
};

function manifestOf(file: string): Manifest | undefined {
  const name = basename(file);
  if (/(?:^|\/)node_modules\//.test(file)) return undefined;
  if (name === 'package.json') return npmManifest(file);
  const known = Object.hasOwn(byLine, name) ? byLine[name] : undefined;
  const text = known && readText(file);
  if (text === undefined) return undefined;
  const names = [...new Set([...text.matchAll(known?.name ?? /$^/g)].map(([, one = '']) => one))].sort();
  return { file, kind: known?.kind ?? '', dependencies: names.length, names: names.slice(0, mostNames) };
}

function npmManifest(file: string): Manifest | undefined {
  const value = jsonIn(readText(file));
  if (value === undefined) return undefined;
  const names = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'].flatMap((key) => {
    const listed = value[key];
    return typeof listed === 'object' && listed !== null ? Object.keys(listed) : [];
  });
  const all = [...new Set(names)].sort();
  return { file, kind: 'npm', dependencies: all.length, names: all.slice(0, mostNames) };
}

function jsonIn(text: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // a manifest that cannot be read lists nothing
  }
}

const licenceTexts: readonly [RegExp, string][] = [
  [/Apache License\s+Version 2\.0/, 'Apache-2.0'],
  [/GNU AFFERO GENERAL PUBLIC LICENSE/i, 'AGPL'],
  [/GNU LESSER GENERAL PUBLIC LICENSE/i, 'LGPL'],
  [/GNU GENERAL PUBLIC LICENSE/i, 'GPL'],
  [/Mozilla Public License,?\s+[Vv]ersion 2\.0/, 'MPL-2.0'],
  [/Business Source License/, 'BUSL'],
  [/Permission is hereby granted, free of charge/, 'MIT'],
  [/Permission to use, copy, modify, and\/or distribute/, 'ISC'],
  [/Redistribution and use in source and binary forms/, 'BSD'],
  [/This is free and unencumbered software/, 'Unlicense'],
];

function licenceOf(file: string): { file: string; licence: string } | undefined {
  const name = basename(file);
  if (!/^(?:LICEN[CS]E|COPYING|UNLICENSE)(?:[.-][^/]*)?$/i.test(name) || extname(name) === '.ts') return undefined;
  const text = (readText(file) ?? '').slice(0, 4000);
  return { file, licence: licenceTexts.find(([pattern]) => pattern.test(text))?.[1] ?? 'unknown' };
}
