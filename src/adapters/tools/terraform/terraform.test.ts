import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prepare, use } from '../../../../test/support/git-project.ts';
import { describeWith } from '../../../../test/support/needs.ts';
import { bareExec, nextCall, type ToolRoom, toolRoom } from '../../../../test/support/tool-exec.ts';
import { sha256Hex } from '../../../kernel/index.ts';
import type { ToolResult } from '../port.ts';
import { terraformTools } from './index.ts';

const example = join(import.meta.dirname, '../../../../examples/terraform-change/infra');

let room: ToolRoom;

beforeEach(() => {
  room = toolRoom({ agent: 'ada', environments: { 'infra/dev': 'dev', 'infra/': 'shared' } });
  cpSync(example, join(room.context.workspace, 'infra'), { recursive: true });
});
afterEach(() => room[Symbol.dispose]());

const look = (name: string, args: Record<string, unknown>) =>
  prepare(terraformTools(), name, args, room.context, bareExec(room.context));
const act = async (name: string, args: Record<string, unknown>): Promise<ToolResult> => {
  const result = await use(terraformTools(), name, args, room.context, bareExec(room.context));
  for (const { content } of result.artifacts) room.keep(content);
  return result;
};
const plan = (args: Record<string, unknown> = {}) => act('terraform.plan', { dir: 'infra/dev', ...args });
const apply = (sha256: unknown, dir = 'infra/dev') => act('terraform.apply', { dir, plan: sha256 });
const artifact = (result: ToolResult, name: string): string =>
  String(result.artifacts.find((one) => one.name === name)?.content);

describeWith('terraform', 'with terraform', () => {
  test('plans, applies exactly that, and refuses it once more', async () => {
    const planned = await plan();
    expect(planned).toMatchObject({
      status: 'ok',
      facts: { environment: 'dev', dir: 'infra/dev', creates: 2, changes: 0, destroys: 0 },
    });
    const { planSha256 } = planned.facts;
    expect(sha256Hex(planned.artifacts[0]?.content ?? '')).toBe(planSha256);

    const call = await look('terraform.apply', { dir: 'infra/dev', plan: planSha256 });
    const counts = { environment: 'dev', creates: 2, changes: 0, destroys: 0 };
    expect(call.intent).toEqual({
      action: 'infra.apply',
      resource: 'dev',
      args: { dir: 'infra/dev', plan: planSha256, ...counts },
    });
    expect(call.facts).toEqual({ plan: counts });

    expect(await apply(planSha256)).toMatchObject({ status: 'ok', facts: { exitCode: 0, planSha256 } });
    expect(existsSync(join(room.context.workspace, 'infra/dev/terraform.tfstate'))).toBe(true);
    expect(await apply(planSha256)).toMatchObject({ status: 'failed', reason: 'Saved plan is stale.' });
  });

  test('shows what a plan would do, by its digest alone', async () => {
    const { planSha256 } = (await plan()).facts;
    const shown = await act('terraform.show', { dir: 'infra/dev', plan: planSha256 });
    const facts = { environment: 'dev', creates: 2, changes: 0, destroys: 0, empties: false, shownSha256: planSha256 };
    expect(shown).toMatchObject({ status: 'ok', facts });
    // It is no plan of its own: what it tells must not pass for one that was made here.
    expect(shown.facts).not.toHaveProperty('planSha256');
    const other = { dir: 'infra/dev', plan: room.keep('not a plan') };
    await expect(act('terraform.show', other)).rejects.toMatchObject({ code: 'TOOL_FAILED' });
  });

  test('counts a replacement as one create and one destroy', async () => {
    await apply((await plan()).facts['planSha256']);
    const replaced = await plan({ vars: { image: 'web:2' } });
    expect(replaced.facts).toMatchObject({ creates: 1, changes: 0, destroys: 1 });
    const call = await look('terraform.apply', { dir: 'infra/dev', plan: replaced.facts['planSha256'] });
    expect(call.intent).toMatchObject({ action: 'infra.apply', args: { creates: 1, destroys: 1 } });
  });

  test('calls a plan that leaves nothing standing by its name', async () => {
    await apply((await plan()).facts['planSha256']);
    const { facts } = await plan({ destroy: true });
    expect(facts).toMatchObject({ creates: 0, destroys: 2 });
    const call = await look('terraform.apply', { dir: 'infra/dev', plan: facts['planSha256'] });
    expect(call.intent).toMatchObject({ action: 'infra.destroy', resource: 'dev' });
  });

  test('keeps sensitive values out of all but the plan file, and values of variables out of the intent', async () => {
    const dir = join(room.context.workspace, 'infra/dev');
    writeFileSync(
      join(dir, 'secret.tf'),
      'variable "pw" {\n  type = string\n  sensitive = true\n}\nresource "terraform_data" "pw" {\n  input = var.pw\n}\n',
    );
    const args = { dir: 'infra/dev', vars: { pw: 'hunter2-value' } };
    const call = await look('terraform.plan', args);
    expect(call.intent.args).toMatchObject({ vars: ['pw'] });
    const result = await plan(args);
    expect(result.facts['creates']).toBe(3);
    const told = [call.intent, result.facts, result.text, artifact(result, 'plan.json')];
    expect(JSON.stringify(told)).not.toContain('hunter2-value');
    expect(artifact(result, 'plan.json')).toContain('terraform_data.pw');
    const applied = await apply(result.facts['planSha256']);
    expect(applied.status).toBe('ok');
    expect(artifact(applied, 'apply.log')).not.toContain('hunter2-value');
  });

  test('answers a faulty configuration with terraform’s first line', async () => {
    writeFileSync(
      join(room.context.workspace, 'infra/dev/main.tf'),
      'resource "terraform_data" "a" {\n  input = nope\n}\n',
    );
    expect(await plan()).toMatchObject({ status: 'failed', reason: 'Invalid reference.' });
  });

  test('refuses bytes that are not a plan', async () => {
    await expect(apply(room.keep('not a plan'))).rejects.toMatchObject({ code: 'TOOL_FAILED' });
    await expect(apply('0'.repeat(64))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('refuses a store that gives other bytes than those named', async () => {
    const context = { ...room.context, artifact: async () => Buffer.from('other') };
    const [, tool] = terraformTools();
    const asked = tool?.prepare({ dir: 'infra/dev', plan: '0'.repeat(64) }, nextCall(context), bareExec(context));
    await expect(asked).rejects.toMatchObject({ what: 'The plan file is not the one that was named.' });
  });

  test('applies nothing when the file was exchanged after the decision', async () => {
    const { planSha256 } = (await plan()).facts;
    const context = nextCall(room.context);
    const [, tool] = terraformTools();
    const call = await tool?.prepare({ dir: 'infra/dev', plan: planSha256 }, context, bareExec(context));
    writeFileSync(join(context.scratch, 'plan.tfplan'), 'other');
    await expect(call?.perform(bareExec(context))).rejects.toMatchObject({ code: 'TOOL_FAILED' });
    expect(existsSync(join(context.workspace, 'infra/dev/terraform.tfstate'))).toBe(false);
  });

  test('a terraform workspace chosen behind its back does not count', async () => {
    const data = join(room.context.workspace, 'infra/dev/.terraform');
    mkdirSync(data);
    writeFileSync(join(data, 'environment'), 'prod');
    await apply((await plan()).facts['planSha256']);
    expect(existsSync(join(room.context.workspace, 'infra/dev/terraform.tfstate'))).toBe(true);
  });

  test.each([
    ['infra/dev', 'dev'],
    ['./infra//dev/', 'dev'],
    ['infra/prod', 'shared'],
    ['.', 'prod'],
    ['infra-dev', 'prod'],
    ['link', 'shared'],
  ])('%s is %s', async (dir, environment) => {
    mkdirSync(join(room.context.workspace, 'infra-dev'));
    symlinkSync('infra/prod', join(room.context.workspace, 'link'));
    expect((await look('terraform.plan', { dir })).intent.resource).toBe(environment);
  });

  test('folders of a worktree count from its top', async () => {
    const workspace = join(room.context.projectRoot, '.worktrees/ada-work');
    cpSync(example, join(workspace, 'infra'), { recursive: true });
    const [tool] = terraformTools();
    const call = await tool?.prepare({ dir: 'infra/dev' }, { ...room.context, workspace }, bareExec(room.context));
    expect(call?.intent.resource).toBe('dev');
  });
});

test.each([
  ['nowhere', 'NOT_FOUND'],
  ['infra/dev/main.tf', 'INPUT_INVALID'],
  ['../..', 'INPUT_INVALID'],
  ['out', 'INPUT_INVALID'],
])('the folder %s is answered with %s', async (dir, code) => {
  symlinkSync('/', join(room.context.workspace, 'out'));
  await expect(look('terraform.plan', { dir })).rejects.toMatchObject({ code });
});

test('a missing terraform is said to be missing, with what to do', async () => {
  const [tool] = terraformTools();
  const exec = bareExec(room.context, '/nowhere');
  await expect(tool?.prepare({ dir: 'infra/dev' }, room.context, exec)).rejects.toMatchObject({
    code: 'TOOL_MISSING',
    fix: expect.stringContaining('Install Terraform'),
  });
});

test('the example needs nothing downloaded', () => {
  for (const dir of ['service', 'dev', 'prod']) {
    expect(readFileSync(join(example, dir, 'main.tf'), 'utf8')).not.toContain('required_providers');
  }
});
