/** Words and sentences of prose. */

/** English words that say nothing about what a text is about. */
const stop = new Set(
  'a an the and or but nor so yet of in on at to from by for with without into onto over under as is are was were be been being am do does did have has had having it its he him his she her hers they them their theirs we us our ours you your yours i me my mine this that these those who whom whose which what when where why how not no than then there here if while because although though all any each both more most some such only own same too very can could will would shall should may might must upon about after before again once also'.split(
    ' ',
  ),
);

export function wordsOf(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !stop.has(word)).map(stem);
}

/** Enough to see that "reports" and "reported" are one. */
function stem(word: string): string {
  if (word.length <= 4) return word;
  return word.replace(/(?:ations?|ings?|edly|ed|ies|ly|es|s|e)$/, '');
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
const longest = 600;

/** Without line breaks; a heading or an item of a list is one. */
export function sentencesOf(text: string): string[] {
  return text
    .split(/\n\s*\n|\n(?=\s*(?:[-*+]|\d+[.)]) )|(?<=^#{1,6} [^\n]*)\n/m)
    .flatMap((block) => [...segmenter.segment(block.replace(/\s+/g, ' ').trim())].map(({ segment }) => segment.trim()))
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence))
    .map((sentence) => (sentence.length > longest ? `${sentence.slice(0, longest - 1)}…` : sentence));
}
