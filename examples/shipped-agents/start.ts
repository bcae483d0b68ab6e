/** The agents that come with agov, at work on a clone of this repository in a throw-away folder. No model is asked. */
import { say, throwAway } from '../throw-away.ts';

const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true && !process.argv.includes('--yes');

const { agov, agovMayFail, git, enter } = throwAway('shipped-agents');
agov('agent', 'shipped');
agov('agent', 'add', 'scout', '--like', 'observer');
agov('agent', 'add', 'smith', '--like', 'executor');
agov('agent', 'add', 'boss', '--like', 'admin');
git('add', 'agents');
git('commit', '--quiet', '--message', 'Define the agents');
if (!interactive) say('No terminal, or --yes: the merge is approved by the operator "demo", and recorded as such.');
const code = agovMayFail('pipeline', 'run', 'examples/shipped-agents/pipeline.yaml', ...(interactive ? [] : ['--yes']));

say('\nWhat came of it in git:');
git('--no-pager', 'log', '--oneline', '--no-decorate', '--max-count=3');
git('--no-pager', 'branch', '--list', 'agov/*');
say('\nLook around:');
say(`  ${enter}`);
say('  agov ledger tail                          what was asked, decided and done');
say('  agov agent run scout --task "Look again"  the same observer by itself');
process.exit(code);
