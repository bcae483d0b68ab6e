import { type AddCommands, type Cli, oneLine } from '../frame/index.ts';

const instructions =
  'You forget; this does not. At the start call checkpoint_load to be told where you left off. Put large output into memory_log and find it with memory_search. Before you stop, or when much is done, call checkpoint_now with notes and next steps, and status_update for the directory you work in.';

export const mcpCommands: AddCommands = (program, define) => {
  const mcp = program
    .command('mcp')
    .description('serve tools over the Model Context Protocol, on standard input and output');
  define(
    mcp
      .command('context')
      .description(
        'checkpoints, memory and status, as an operator, an agent, or whoever the socket of a governed process says',
      )
      .option('--agent <name>', 'act as this agent: each use is an intent')
      .option('--as <operator>', 'the operator who acts'),
    (cli, _args, { agent, as }) => serve(cli, agent, as),
    ['agov mcp context', 'claude mcp add agov -- agov mcp context', 'agov mcp context --agent builder'],
  );
};

async function serve(cli: Cli, agent: string | undefined, operator: string | undefined): Promise<void> {
  const { localTools, remoteTools, serveTools } = await import('../../mcp/index.ts');
  const { stdin, stdout, version, environment, signals } = cli.io;
  const stop = new AbortController();
  using _listening = signals.listen(() => stop.abort(new Error('It was told to stop.')));
  const onFault = (what: string): void => void cli.io.stderr.write(`agov mcp: ${oneLine(what)}\n`);
  const options = { stdin, stdout, version, instructions, onFault, signal: stop.signal };
  const socket = environment['AGOV_SOCKET'];
  // Inside of a governed process nothing that is written on the command line says who it is.
  if (socket) return serveTools(await remoteTools(socket), options);
  await cli.withApp(async (app) => {
    const who = { ...(agent === undefined ? {} : { agent }), ...(operator === undefined ? {} : { operator }) };
    await serveTools(await localTools(app, who), options);
  });
}
