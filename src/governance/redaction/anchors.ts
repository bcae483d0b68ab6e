/**
 * Finds many short words in bytes in one pass, whatever their case: Aho and Corasick's automaton (1975) as one flat
 * table. States that end a word have the highest numbers, so that the loop asks one question a byte.
 */

export interface Anchors {
  /** `next[state * 256 + byte]`. The start is state 0. */
  readonly next: Uint16Array;
  /** States from here on end at least one word. */
  readonly firstEnd: number;
  /** Which words end in a state, by their places in the list. */
  wordsAt(state: number): readonly number[];
}

interface Node {
  readonly to: Map<number, number>;
  readonly words: number[];
  fail: number;
}

export function compileAnchors(words: readonly string[]): Anchors {
  const nodes = trie(words);
  const order = linkFailures(nodes);
  const ends = order.filter((node) => (nodes[node]?.words.length ?? 0) > 0);
  const ranked = [...order.filter((node) => nodes[node]?.words.length === 0), ...ends];
  const rank = new Map(ranked.map((node, place) => [node, place]));
  const next = new Uint16Array(nodes.length * 256);
  // In the order of their depth: what a state lacks it takes from its failure state, which is complete by then.
  for (const node of order) {
    const row = (rank.get(node) ?? 0) * 256;
    const fail = (rank.get(nodes[node]?.fail ?? 0) ?? 0) * 256;
    for (let byte = 0; byte < 256; byte++) {
      const child = nodes[node]?.to.get(lower(byte));
      next[row + byte] = child === undefined ? (node === 0 ? 0 : (next[fail + byte] ?? 0)) : (rank.get(child) ?? 0);
    }
  }
  return { next, firstEnd: nodes.length - ends.length, wordsAt: (state) => nodes[ranked[state] ?? 0]?.words ?? [] };
}

function trie(words: readonly string[]): Node[] {
  const nodes: Node[] = [{ to: new Map(), words: [], fail: 0 }];
  for (const [place, word] of words.entries()) {
    let at = 0;
    for (const byte of Buffer.from(word.toLowerCase(), 'latin1')) {
      const known = nodes[at]?.to.get(byte);
      if (known === undefined) nodes[at]?.to.set(byte, nodes.push({ to: new Map(), words: [], fail: 0 }) - 1);
      at = known ?? nodes.length - 1;
    }
    nodes[at]?.words.push(place);
  }
  return nodes;
}

/** Sets each state's failure: the longest proper suffix that is a state too. The states, the shallow ones first. */
function linkFailures(nodes: readonly Node[]): readonly number[] {
  const order = [0];
  for (const at of order) {
    const node = nodes[at];
    for (const [byte, child] of node?.to ?? []) {
      let fail = node?.fail ?? 0;
      while (at !== 0 && fail !== 0 && !nodes[fail]?.to.has(byte)) fail = nodes[fail]?.fail ?? 0;
      const target = at === 0 ? 0 : (nodes[fail]?.to.get(byte) ?? 0);
      const made = nodes[child];
      if (made) {
        made.fail = target;
        made.words.push(...(nodes[target]?.words ?? []));
      }
      order.push(child);
    }
  }
  return order;
}

function lower(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}
