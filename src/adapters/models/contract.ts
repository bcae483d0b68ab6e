/** What every model keeps, whoever provides it; the server behind it answers as its provider is known to. */
import { expect, it } from 'vitest';
import { Secret } from '../../kernel/index.ts';
import type { Model, ModelMessage, ModelRequest } from './port.ts';

export interface ModelRoom extends AsyncDisposable {
  /** Answers "Grüezi mitenand." in several pieces. */
  readonly talks: Model;
  /** Calls `fs.read` with `{"path": "a.txt"}`. */
  readonly calls: Model;
  /** Refuses by a filter. */
  readonly refuses: Model;
  /** The texts of all requests so far, headers included. */
  asked(): readonly string[];
}

export const key = new Secret('sk-contract-0123456789');
const readFile = {
  name: 'fs.read',
  description: 'Reads one file.',
  input: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
};

export function asking(messages: readonly ModelMessage[], more: Partial<ModelRequest> = {}): ModelRequest {
  const signal = new AbortController().signal;
  return { messages, tools: [readFile], maxOutputTokens: 200, key, signal, ...more };
}

export function modelContract(open: () => Promise<ModelRoom>): void {
  const question: ModelMessage[] = [
    { role: 'system', text: 'You are brief.' },
    { role: 'user', text: 'Say hello.' },
  ];

  it('answers in pieces that make the whole, and tells its tokens', async () => {
    await using room = await open();
    const pieces: string[] = [];
    const answer = await room.talks.complete(asking(question, { onText: (piece) => void pieces.push(piece) }));
    expect(answer).toMatchObject({ text: 'Grüezi mitenand.', calls: [], finish: 'stop' });
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join('')).toBe(answer.text);
    expect(answer.usage).toEqual({ input: 100, output: 10 });
  });

  it('asks for a tool by the name it was told, and is told the result with its own words before it', async () => {
    await using room = await open();
    const asked = await room.calls.complete(asking(question));
    expect(asked).toMatchObject({ finish: 'calls', calls: [{ name: 'fs.read' }] });
    const [call] = asked.calls;
    if (!call) throw new Error('no call');
    expect(JSON.parse(call.input)).toEqual({ path: 'a.txt' });
    const { text, calls, carried } = asked;
    const said: ModelMessage = { role: 'assistant', text, calls, ...(carried === undefined ? {} : { carried }) };
    const result: ModelMessage = { role: 'tool', call: call.id, name: 'fs.read', text: 'content of a' };
    // What was carried survives being kept as JSON.
    const after = JSON.parse(JSON.stringify([...question, said, result])) as ModelMessage[];
    await room.calls.complete(asking(after));
    const last = room.asked().at(-1) ?? '';
    expect(last).toContain('content of a');
    expect(last).toContain('a.txt');
    expect(last).toContain('fs_read');
  });

  it('tells a refusal from an answer', async () => {
    await using room = await open();
    expect(await room.refuses.complete(asking(question))).toMatchObject({ finish: 'refused' });
  });

  it('is asked with the key that was leased', async () => {
    await using room = await open();
    await room.talks.complete(asking(question));
    expect(room.asked()[0]).toContain(key.reveal());
  });

  it('stops at once when it is told to', async () => {
    await using room = await open();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(room.talks.complete(asking(question, { signal }))).rejects.toThrow('enough');
  });
}
