/** How the comments begin a list of all values that there are. "Supported values include" is not among them: it is open. */
const openings = [
  /\b(?:possible|valid|accepted|allowed|supported|applicable)\s+(?:values|options)(?:\s+are)?\s*:?/gi,
  /\bvalues are\b:?/gi,
  /\bmust be (?:one of|either)\b:?/gi,
  /\b(?:one of|either) (?:the following values is required:)?/gi,
  /\b(?:value|field|this) can be (?:one of|either|set to)?:?/gi,
  /(?:^|\. +)can be (?:one of|either)?:?/gi,
  /\baccepts the values?\b:?/gi,
  /\bcan specify either\b/gi,
];

/** One that tells all of them, be it a single one: `Possible values are: ` and a value in backquotes. */
const only = /\b(?:possible|accepted) values are: `([A-Z][A-Z0-9_]*)`\./i;

/** A value: in quotes of some kind, or in capitals. */
const value = /^(?:`"?([^`"\s]+)"?`|"([^"\s]+)"|'([^'\s]+)'|([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)(?![a-z]))/;
const between = /^(?:\s*(?:,|\bor\b|\band\b|\*|\[|\]|\(Beta\)))*\s*/;

/** `one of the following values. * GCE_ENDPOINT for ... * VPC_PEERING for ...` */
const explained = /\bone of the following values\b[.:]/;
const point = /\* ([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*) for\b/g;

/** `When set to "DELETE", ...`: the words of a comment that tells them one by one. */
const setTo = /\bset to "([A-Z_]+)"/g;

/** The words that a comment allows, when it gives them all. Only words in capitals count: other lists are of examples. */
export function enumerated(comment: string): ReadonlySet<string> | undefined {
  const text = comment.replaceAll(/\s+/g, " ");
  const lists = openings.flatMap((opening) =>
    [...text.matchAll(opening)].flatMap((match) => wordsAt(text.slice(match.index + match[0].length))),
  );
  const words = new Set([...lists, ...(only.exec(text)?.slice(1) ?? [])]);
  if (words.size > 0) return words;
  const told = new Set([...text.matchAll(explained.test(text) ? point : setTo)].map((match) => match[1]!));
  return told.size > 1 ? told : undefined;
}

/** A list of one is believed to be none. */
function wordsAt(text: string): string[] {
  const words: string[] = [];
  for (let rest = text.replace(between, ""); ;) {
    const found = value.exec(rest);
    const word = found?.slice(1).find((group) => group !== undefined);
    if (found === null || word === undefined || !/^[A-Z][A-Z0-9_]*$/.test(word)) break;
    words.push(word);
    rest = rest.slice(found[0].length);
    const gap = between.exec(rest)![0];
    if (!/[,*\]]|or|and/.test(gap)) break;
    rest = rest.slice(gap.length);
  }
  return words.length > 1 ? words : [];
}
