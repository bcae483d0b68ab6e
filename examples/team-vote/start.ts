/**
 * A team that votes, without a model: three commands look at a folder and say whether it may be published; one of them has
 * a veto. Then the folder is mended, and they vote again.
 */
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { say, throwAway } from '../throw-away.ts';

const files = join(import.meta.dirname, 'files');
say('Three agents vote on whether a folder may be published. One of them has a veto.');
const { project, agov, agovMayFail, enter } = throwAway('team-vote', (place) => {
  cpSync(files, place, { recursive: true });
  writeFileSync(
    join(place, 'site/key.pem'),
    `-----BEGIN ${'PRIVATE'} KEY-----
none of anybody's
`,
  );
});
agov('agent', 'add', 'chief', '--tier', 'T2');
agov('team', 'validate');
say('\nThere is something in it that looks like a key:');
const first = agovMayFail('team', 'run', 'publish', '--task', 'May site/ be published?');
say('\nIt is taken out, and they vote again:');
rmSync(join(project, 'site/key.pem'));
const second = agovMayFail('team', 'run', 'publish', '--task', 'May site/ be published?');
say('\nWho they were, each below the agent that started it:');
agov('agent', 'list');
say(`\nLook around:\n  ${enter}\n  agov ledger tail`);
process.exit(first === 1 && second === 0 ? 0 : 1);
