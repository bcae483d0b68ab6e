/** A Unix datagram socket that prints each message on a line, as systemd's notify socket takes them. Node has none. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Datagrams extends AsyncDisposable {
  /** The next message that holds `text`; those before it are passed over. */
  next(text: string): Promise<string>;
}

const program = `use IO::Socket::UNIX; use Socket;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die "no socket";
$| = 1; print "open\\n";
while (defined $socket->recv(my $message, 4096)) { $message =~ s/\\n/ /g; print "$message\\n"; }`;

export async function datagrams(path: string): Promise<Datagrams> {
  const child: ChildProcess = spawn('perl', ['-e', program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (!child.stdout) throw new Error('no standard output');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (text: string): Promise<string> => {
    for (;;) {
      const { done, value } = await lines.next();
      if (done) throw new Error(`The socket closed before "${text}" came.`);
      if (value.includes(text)) return value;
    }
  };
  await next('open');
  return {
    next,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
