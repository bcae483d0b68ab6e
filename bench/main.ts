/** `npm run bench -- decide|ledger|act|sandbox|kill|pipeline|context`: prints JSON, each figure beside a reference taken in the same run. */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { benchAct } from './act.ts';
import { benchContext } from './context/index.ts';
import { benchDecide } from './decide.ts';
import { benchKill } from './kill/index.ts';
import { benchLedger } from './ledger.ts';
import { benchPipeline } from './pipeline/index.ts';
import { benchSandbox } from './sandbox.ts';

const { values: sizes, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    megabytes: { type: 'string', default: '32' },
    chunks: { type: 'string', default: '20000' },
    directories: { type: 'string', default: '2000' },
  },
});

const benches: Readonly<Record<string, () => Promise<unknown>>> = {
  decide: benchDecide,
  ledger: benchLedger,
  act: benchAct,
  sandbox: () => benchSandbox(),
  kill: benchKill,
  pipeline: benchPipeline,
  context: () =>
    benchContext({
      megabytes: Number(sizes.megabytes),
      chunks: Number(sizes.chunks),
      directories: Number(sizes.directories),
    }),
};

const unknown = wanted.filter((name) => !(name in benches));
if (unknown.length > 0) {
  process.stderr.write(`There is no bench "${unknown[0]}". Benches are ${Object.keys(benches).join(', ')}.\n`);
  process.exit(64);
}

const results: Record<string, unknown> = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stderr.write(`${name} …\n`);
  results[name] = await bench();
}
process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
