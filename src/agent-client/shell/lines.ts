/** A stream of bytes as lines; `undefined` for one of more than so many bytes, which is never held. */
export async function* boundedLines(
  stream: AsyncIterable<Uint8Array>,
  most: number,
): AsyncGenerator<string | undefined> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    let rest = chunk;
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      yield size + at > most ? undefined : Buffer.concat([...held, rest.subarray(0, at)]).toString('utf8');
      [held, size] = [[], 0];
      rest = rest.subarray(at + 1);
    }
    size += rest.length;
    held = size > most ? [] : [...held, rest];
  }
}
