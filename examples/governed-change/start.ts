/**
 * `npm start`: clones this repository into a throw-away folder, puts three agents to work on it under their tiers, and
 * shows what was decided. It only uses the command line, so that you can do the same.
 */
import { say, throwAway } from '../throw-away.ts';

const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true && !process.argv.includes('--yes');

say('Three agents are about to change a real git repository, each within its tier.');
const { agov, agovMayFail, git, enter } = throwAway('governed-change');
agov('agent', 'add', 'observer');
agov('agent', 'add', 'executor', '--tier', 'T1');
agov('agent', 'add', 'admin', '--tier', 'T2');
if (!interactive) {
  say('No terminal, or --yes: the merge is approved by the operator of agov.yaml ("demo"), and recorded as such.');
}
const pipeline = 'examples/governed-change/pipeline.yaml';
const code = agovMayFail('pipeline', 'run', pipeline, '--output', ...(interactive ? [] : ['--yes']));

say('\nWhat came of it in git:');
git('--no-pager', 'log', '--oneline', '--no-decorate', '--max-count=3');
say('\nLook around:');
say(`  ${enter}`);
say('  agov ledger tail                                   what was asked, decided and done');
say('  agov explain --agent observer fs.write README.md   why, and what would have to be different');
say('  agov ledger verify                                 every byte of the record');
process.exit(code);
