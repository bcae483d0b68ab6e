/** A model of embeddings on a real socket: a text's vector counts its words, and words of one meaning are one. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface EmbeddingServer extends AsyncDisposable {
  readonly url: string;
  readonly asked: { readonly authorization: string | undefined; readonly texts: readonly string[] }[];
  /** What it answers instead from now on. */
  answer: { readonly status: number; readonly body: string } | undefined;
}

const meanings = [
  ['car', 'automobile', 'vehicle'],
  ['physician', 'doctor'],
  ['purchase', 'buy', 'bought'],
];
const dimensions = 64;

export async function embeddingServer(): Promise<EmbeddingServer> {
  const server = createServer(async (request, response) => {
    const { input } = JSON.parse(await text(request)) as { input: string[] };
    made.asked.push({ authorization: request.headers.authorization, texts: input });
    const data = input.map((one, index) => ({ index, embedding: vectorOf(one) })).reverse();
    response.writeHead(made.answer?.status ?? 200, { 'content-type': 'application/json' });
    response.end(made.answer?.body ?? JSON.stringify({ data }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // listens on TCP
  const made: EmbeddingServer = {
    url: `http://127.0.0.1:${port}/v1`,
    asked: [],
    answer: undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
  return made;
}

function vectorOf(words: string): number[] {
  const vector = Array.from({ length: dimensions }, () => 0.001);
  for (const word of words.toLowerCase().match(/[a-z]+/g) ?? []) {
    const meaning = meanings.findIndex((same) => same.includes(word));
    const place =
      meaning >= 0
        ? meaning
        : meanings.length +
          ([...word].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7) % (dimensions - meanings.length));
    vector[place] = (vector[place] ?? 0) + (meaning >= 0 ? 5 : 1);
  }
  return vector;
}
