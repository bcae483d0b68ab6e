import { z } from 'zod';
import { kinds, type MemoryEntry } from '../../../../../context/memory/index.ts';
import { AgovError } from '../../../../../kernel/index.ts';
import { defineOperation, type Operation } from '../../operation.ts';
import type { ContextSeat } from './seat.ts';

const mostContent = 900_000;
const mostAnswer = 200_000;

const tagsSchema = z.array(z.string().max(64)).max(20);
const idSchema = z.string().min(4).max(36).describe('An id, or four or more characters of its beginning or end.');
const entrySchema = z.strictObject({
  ...{ id: z.string(), title: z.string(), kind: z.string(), space: z.string(), at: z.string() },
  ...{ tags: z.array(z.string()), bytes: z.int(), lines: z.int(), parts: z.int() },
  redacted: z.record(z.string(), z.int()).describe('Secrets that were taken out, by rule.'),
});
type ToldEntry = z.output<typeof entrySchema>;

export function memoryOperations({ home, memory }: ContextSeat): readonly Operation[] {
  const own = home === undefined ? {} : { space: home };
  return [
    defineOperation({
      name: 'memory.log',
      description: 'Keep text outside of your context, to be found again. What looks like a secret is taken out.',
      input: z.strictObject({
        content: z.string().min(1).max(mostContent),
        title: z.string().min(1).max(500).optional(),
        tags: tagsSchema.optional(),
        kind: z.enum(kinds).optional().describe('Told from the content where it is left out.'),
        ttlMs: z.int().min(1000).max(315_360_000_000).optional().describe('How long it is kept, in milliseconds.'),
      }),
      output: entrySchema,
      async perform({ content, title, tags, kind, ttlMs }, signal) {
        const source = async function* (): AsyncGenerator<Uint8Array> {
          yield Buffer.from(content);
        };
        const options = {
          ...(title === undefined ? {} : { title }),
          ...(tags === undefined ? {} : { tags }),
          ...(kind === undefined ? {} : { kind }),
          ...(ttlMs === undefined ? {} : { ttlMs }),
        };
        return told(await (await memory()).log(source(), { ...options, signal }));
      },
    }),
    defineOperation({
      name: 'memory.fetch',
      description: 'What an entry holds: a summary, one part, some lines, or its beginning up to 200,000 bytes.',
      input: z.strictObject({
        id: idSchema,
        summary: z.enum(['short', 'medium', 'long']).optional(),
        part: z.int().min(1).optional(),
        from: z.int().min(1).optional().describe('First line.'),
        to: z.int().min(1).optional().describe('Last line.'),
      }),
      output: z.strictObject({
        id: z.string(),
        title: z.string(),
        text: z.string(),
        more: z.boolean(),
        model: z.string().optional().describe('Who wrote the summary; else it is sentences of the content.'),
      }),
      async perform({ id, summary, part, from, to }, signal) {
        const desk = await memory();
        if (summary !== undefined) {
          const { text, title, id: found, read, model } = await desk.summary(id, summary, own, signal);
          return { id: found, title, text, more: read < 1, ...(model === undefined ? {} : { model }) };
        }
        const lines = from === undefined && to === undefined ? {} : { lines: rangeOf(from, to) };
        return desk.fetch(id, { ...own, ...(part === undefined ? {} : { part }), ...lines }, async (entry, pieces) => {
          let text = '';
          let more = false;
          for (const { part: number, bytes } of pieces) {
            if (text.length >= mostAnswer) {
              more = true;
              break;
            }
            text += bytes ? bytes.toString('utf8') : `\n[part ${number} is damaged]\n`;
          }
          const cut = text.length > mostAnswer;
          const shown = cut ? text.slice(0, mostAnswer).replace(/[\ud800-\udbff]$/, '') : text;
          return { id: entry.id, title: entry.title, text: shown, more: more || cut };
        });
      },
    }),
    defineOperation({
      name: 'memory.list',
      description: 'Your entries, the newest first.',
      input: z.strictObject({
        limit: z.int().min(1).max(100).default(20),
        before: idSchema.optional(),
        tags: tagsSchema.optional(),
        kind: z.enum(kinds).optional(),
      }),
      output: z.strictObject({ entries: z.array(entrySchema), more: z.boolean() }),
      async perform({ limit, before, tags, kind }) {
        const asked = { ...(before === undefined ? {} : { before }), ...(tags === undefined ? {} : { tags }) };
        const page = await (await memory()).list({ limit, ...asked, ...(kind === undefined ? {} : { kind }), ...own });
        return { entries: page.entries.map(told), more: page.more };
      },
    }),
    defineOperation({
      name: 'memory.search',
      description: 'Find parts of entries by their words: all of them, "a phrase", begin*, -without.',
      input: z.strictObject({
        query: z.string().min(1).max(1000),
        limit: z.int().min(1).max(50).default(10),
        tags: tagsSchema.optional(),
        kind: z.enum(kinds).optional(),
      }),
      output: z.strictObject({
        hits: z.array(
          z.strictObject({
            ...{ id: z.string(), title: z.string(), part: z.int(), line: z.int() },
            ...{ label: z.string(), snippet: z.string() },
          }),
        ),
        unsearched: z.int().describe('Parts that are not indexed yet.'),
      }),
      async perform({ query, limit, tags, kind }) {
        const asked = { ...(tags === undefined ? {} : { tags }), ...(kind === undefined ? {} : { kind }), ...own };
        const { hits, unsearched } = await (await memory()).search({ text: query, limit, ...asked });
        return {
          hits: hits.map(({ entry, part, line, label, snippet }) => ({
            ...{ id: entry.id, title: entry.title, part, line, label, snippet },
          })),
          unsearched,
        };
      },
    }),
  ];
}

function rangeOf(from: number | undefined, to: number | undefined): { readonly from: number; readonly to: number } {
  const lines = { from: from ?? 1, to: to ?? Number.MAX_SAFE_INTEGER };
  if (lines.from <= lines.to) return lines;
  throw new AgovError('INPUT_INVALID', { what: `There are no lines from ${lines.from} to ${lines.to}.` });
}

function told({ id, title, kind, space, at, tags, bytes, lines, parts, redacted }: MemoryEntry): ToldEntry {
  return { ...{ id, title, kind, space, at, bytes, lines, parts }, tags: [...tags], redacted: { ...redacted } };
}
