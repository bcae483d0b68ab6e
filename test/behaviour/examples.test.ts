import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeWith } from '../support/needs.ts';
import { larger } from '../support/sizes.ts';

/** What CI tells the tests in AGOV_… is no setting of agov. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AGOV_')));

/** The one that the README begins with is always tried; they take ten seconds each. */
const start = (example: string) => {
  const script = fileURLToPath(new URL(`../../examples/${example}/start.ts`, import.meta.url));
  const done = spawnSync(process.execPath, [script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  });
  const place = /Everything happens in (\S+),/.exec(done.stdout)?.[1];
  if (place) rmSync(place, { recursive: true, force: true });
  return done;
};

describeWith('bwrap', 'npm start', () => {
  it('has three agents change a real repository within their tiers, and verifies', () => {
    const { status, stdout, stderr } = start('governed-change');
    expect(stderr + stdout).toContain("tried to write behind the governor's back: refused (EROFS)");
    expect(stdout).toContain('Decisions: 6 allowed, 1 asked, 1 denied');
    expect(stdout).toContain('refused observer: fs.write INVENTORY.md');
    expect(stdout).toContain('approved by demo (--yes): repo.merge main');
    expect(stdout).toContain("Merge branch 'agov/executor/bounded-retry' into main");
    expect(stdout).toMatch(/^verified /m);
    expect(status).toBe(0);
  });
});

describeWith('bwrap', 'the example of the shipped agents', () => {
  it.runIf(larger)('looks, changes, merges with consent and cleans up, without a model', () => {
    const { status, stdout, stderr } = start('shipped-agents');
    expect(stderr).not.toContain('NOT contained');
    expect(stdout).toContain('approved by demo (--yes): repo.merge main');
    expect(stdout).toContain("Merge branch 'agov/smith/take-the-rebate-off-before-the-tax' into main");
    expect(stdout.slice(stdout.indexOf('What came of it'))).not.toMatch(/^ {2}agov\//m);
    expect(stdout).toMatch(/^verified /m);
    expect(status).toBe(0);
  });
});

describeWith('terraform', 'the Terraform example', () => {
  it.runIf(larger)('runs to its end', () => {
    const { status, stdout, stderr } = start('terraform-change');
    expect(stdout + stderr).toContain('Apply complete!');
    expect(status).toBe(0);
  });
});

describeWith('bwrap', 'the example of a team', () => {
  it.runIf(larger)('is rejected by a veto, and passes when what it was for is gone', () => {
    const { status, stdout, stderr } = start('team-vote');
    expect(stdout + stderr).toContain('which has a veto, is not for it: a private key in site/key.pem');
    expect(stdout).toContain('"passed": true');
    expect(stdout).toContain('chief.secrets-2');
    expect(status).toBe(0);
  });
});
