/** One request a connection over the agent's own socket. Whoever holds the socket is the agent: there is no login. */

/** What the governor answers in place of a result: the request was malformed, or could not be decided on. */
export class AgentError extends Error {
  /** From the table of error codes, such as `INPUT_INVALID`; `NO_SOCKET` where nobody answers. */
  readonly code: string;
  readonly fix: string | undefined;
  /** Whether the same request may succeed later. */
  readonly retry: boolean;

  constructor(told: {
    readonly code: string;
    readonly what: string;
    readonly why?: string;
    readonly fix?: string;
    readonly retry?: boolean;
  }) {
    super([told.what, told.why].filter(Boolean).join(' '));
    this.name = 'AgentError';
    this.code = told.code;
    this.fix = told.fix;
    this.retry = told.retry ?? false;
  }
}

export interface CallOptions {
  /** Aborting it ends what was asked for. */
  readonly signal?: AbortSignal | undefined;
}

/** Sends `body`, or asks for a document where there is none. @throws AgentError */
export function send(socket: string, path: string, body: string | undefined, signal?: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const method = body === undefined ? 'GET' : 'POST';
    // An import would look at all that the module offers, and so load a client of WebSockets: 50 ms of each call.
    const asked = process
      .getBuiltinModule('node:http')
      .request({ socketPath: socket, path, method, headers, agent: false, ...(signal ? { signal } : {}) });
    asked.on('error', (error) => reject(signal?.aborted ? signal.reason : unreachable(socket, error)));
    asked.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => reject(unreachable(socket, error)));
      response.on('end', () => {
        try {
          const answer: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
          if (response.statusCode === 200) resolve(answer);
          // Every other answer of the socket is an error of this shape.
          else reject(new AgentError((answer as { error: { code: string; what: string } }).error));
        } catch (error) {
          reject(unreachable(socket, error));
        }
      });
    });
    asked.end(body);
  });
}

function unreachable(socket: string, error: unknown): AgentError {
  return new AgentError({
    code: 'NO_SOCKET',
    what: `The governor does not answer at ${socket}.`,
    why: error instanceof Error ? error.message : String(error),
    fix: 'It answers as long as the process that it started for this agent runs.',
  });
}
