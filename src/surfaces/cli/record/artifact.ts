import type { AddCommands } from '../frame/index.ts';

export const artifactCommand: AddCommands = (program, define) => {
  define(
    program
      .command('artifact <sha256>')
      .description('print content that the ledger names by its digest, checked against it'),
    (cli, [sha256 = '']) =>
      cli.withApp(async (app) => {
        const content = await app.artifacts.get(sha256);
        if (cli.json) cli.emit({ sha256, size: content.length, base64: content.toString('base64') }, () => '');
        else cli.io.stdout.write(content);
      }),
    ['agov artifact 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
  );
};
