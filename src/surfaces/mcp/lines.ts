/** A stream of lines, none of them longer than so many bytes: what is longer is passed over and told, and never held. */
import { Transform } from 'node:stream';

const lineEnd = 10;

export function boundedLines(most: number, onPassedOver: () => void): Transform {
  let held: Buffer[] = [];
  let size = 0;
  const add = (part: Buffer): void => {
    size += part.length;
    if (size <= most) held.push(part);
    else held = [];
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let rest = chunk;
      for (let at = rest.indexOf(lineEnd); at >= 0; at = rest.indexOf(lineEnd)) {
        add(rest.subarray(0, at + 1));
        if (size <= most) this.push(Buffer.concat(held));
        else onPassedOver();
        held = [];
        size = 0;
        rest = rest.subarray(at + 1);
      }
      add(rest);
      done();
    },
  });
}
