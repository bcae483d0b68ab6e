/**
 * Infrastructure under the same rules: a T1 agent plans, an operator approves exactly that plan, and exactly that plan
 * is applied. Production is out of its reach. Needs Terraform 1.5 or newer, and no provider, account or network.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { say, throwAway } from '../throw-away.ts';

if (spawnSync('terraform', ['version'], { stdio: 'ignore' }).status !== 0) {
  say('Terraform is not installed, so there is nothing to show. Get it from developer.hashicorp.com/terraform/install');
  process.exit(0);
}

const dev = 'examples/terraform-change/infra/dev';
const prod = 'examples/terraform-change/infra/prod';

say('An agent is about to change infrastructure, within its tier.');
const { agov, agovMayFail, agovJson, enter } = throwAway('terraform-change', (project) => {
  appendFileSync(join(project, 'agov.yaml'), `terraform:\n  environments:\n    ${dev}: dev\n    ${prod}: prod\n`);
});
agov('agent', 'add', 'builder', '--tier', 'T1');

const first = plan('1');
say('\nThe tier asks an operator before anything is applied:');
expectCode(75, 'terraform', 'apply', '--agent', 'builder', '--dir', dev, '--plan', first);
approve();
agov('terraform', 'apply', '--agent', 'builder', '--dir', dev, '--plan', first);

say('\nThe approval was for those bytes, once. Neither the same plan again, nor another:');
expectCode(75, 'terraform', 'apply', '--agent', 'builder', '--dir', dev, '--plan', plan('2'));

say('\nProduction is not the agent’s to plan, whoever approves:');
expectCode(77, 'terraform', 'plan', '--agent', 'builder', '--dir', prod);

say('');
agov('ledger', 'verify');
say(`\nLook around:\n  ${enter}\n  agov ledger tail`);

function plan(replicas: string): string {
  const args = ['terraform', 'plan', '--agent', 'builder', '--dir', dev, '--vars', JSON.stringify({ replicas })];
  say(`\n$ agov ${args.join(' ')}`);
  const { text, facts } = agovJson<{ text: string; facts: { planSha256: string } }>(...args);
  say(text);
  return facts.planSha256;
}

function approve(): void {
  const [pending] = agovJson<{ id: string }[]>('approvals');
  agov('approve', pending?.id ?? '');
}

function expectCode(expected: number, ...args: string[]): void {
  const code = agovMayFail(...args);
  if (code === expected) return;
  say(`That was expected to end with ${expected}, and ended with ${code}.`);
  process.exit(1);
}
