/** Languages by the ends of file names. */
import { basename, extname } from 'node:path';

const byExtension: Readonly<Record<string, string>> = {
  ...{ '.ts': 'TypeScript', '.tsx': 'TypeScript', '.mts': 'TypeScript', '.cts': 'TypeScript' },
  ...{ '.js': 'JavaScript', '.jsx': 'JavaScript', '.mjs': 'JavaScript', '.cjs': 'JavaScript' },
  ...{ '.py': 'Python', '.go': 'Go', '.rs': 'Rust', '.rb': 'Ruby', '.php': 'PHP', '.java': 'Java', '.kt': 'Kotlin' },
  ...{ '.c': 'C', '.h': 'C', '.cc': 'C++', '.cpp': 'C++', '.hpp': 'C++', '.cs': 'C#', '.swift': 'Swift' },
  ...{ '.scala': 'Scala', '.ex': 'Elixir', '.exs': 'Elixir', '.erl': 'Erlang', '.hs': 'Haskell', '.lua': 'Lua' },
  ...{ '.sh': 'Shell', '.bash': 'Shell', '.ps1': 'PowerShell', '.sql': 'SQL', '.r': 'R', '.pl': 'Perl' },
  ...{ '.tf': 'HCL', '.hcl': 'HCL', '.yaml': 'YAML', '.yml': 'YAML', '.json': 'JSON', '.toml': 'TOML', '.xml': 'XML' },
  ...{ '.html': 'HTML', '.css': 'CSS', '.scss': 'CSS', '.vue': 'Vue', '.svelte': 'Svelte' },
  ...{
    '.md': 'Markdown',
    '.rst': 'reStructuredText',
    '.proto': 'Protocol Buffers',
    '.cedar': 'Cedar',
    '.rego': 'Rego',
  },
};
const byName: Readonly<Record<string, string>> = { Makefile: 'Make', Dockerfile: 'Dockerfile', Jenkinsfile: 'Groovy' };

export function languageOf(file: string): string | undefined {
  const name = basename(file);
  const extension = extname(name).toLowerCase();
  if (Object.hasOwn(byName, name)) return byName[name];
  return Object.hasOwn(byExtension, extension) ? byExtension[extension] : undefined;
}
