import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { type Io, runCli } from './index.ts';
import { buildProgram } from './program.ts';

interface Printed extends Io {
  readonly text: () => string;
}

function printing(): Printed {
  const stdout = new PassThrough();
  const signals = { listen: () => new DisposableStack() };
  const io = { stdin: new PassThrough(), stdout, stderr: stdout, environment: {}, cwd: '/', version: '0', signals };
  return { ...io, text: () => String(stdout.read() ?? '') };
}

it('finds each command and each of its own, whichever part of the tree is loaded for it', async () => {
  const whole = buildProgram(printing(), () => undefined);
  for (const { name, args } of whole.commands.flatMap((command) => [
    { name: command.name(), args: [command.name()] },
    ...command.commands.map((below) => ({ name: below.name(), args: [command.name(), below.name()] })),
  ])) {
    const alone = printing();
    expect(await runCli([...args, '--help'], alone), args.join(' ')).toBe(0);
    const usage = alone.text().split('\n')[0];
    expect(usage).toContain(`agov ${args.join(' ')}`);
    expect(usage).toContain(name);
  }
});

it('still suggests across all groups, and lists all of them in the help', async () => {
  const misspelt = printing();
  expect(await runCli(['agnet', 'list'], misspelt)).toBe(64);
  expect(misspelt.text()).toContain('Did you mean agent?');
  const help = printing();
  await runCli(['--help'], help);
  const listed = help.text();
  for (const name of ['init', 'agent', 'policy', 'ledger', 'pipeline']) expect(listed).toContain(`\n  ${name} `);
});
