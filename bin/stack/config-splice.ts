import { isMap, isScalar, isSeq, stringify } from "yaml";
import type { Document, Node, Pair, YAMLMap } from "yaml";

export const containersKey = "containarium:containers";

/**
 * PURE: the text with one more item at the end of the list, every other line as it was.
 * @returns undefined where the text's style leaves no obvious place
 */
export function insertItem(text: string, document: Document, user: string, value: object): string | undefined {
  const config = document.get("config");
  const item = (indent: string) =>
    indented(stringify([value], { lineWidth: 0, indentSeq: indentsLists(text) }), indent);
  if (config === undefined || config === null) {
    if (document.contents !== null && !isMap(document.contents)) return undefined;
    if (isMap(document.contents) && document.has("config")) return undefined;
    return `${withNewline(text)}config:\n  ${containersKey}:\n${item("    ")}`;
  }
  if (!isMap(config) || config.flow) return undefined;
  const pair = pairOf(config);
  const keyIndent = indentOf(text, config.items[0]?.key as Node | undefined);
  if (keyIndent === undefined) return undefined;
  const itemIndent = indentsLists(text) ? `${keyIndent}  ` : keyIndent;
  if (!pair) {
    const at = lineEnd(text, config.range?.[1]);
    return splice(text, at, at, `${keyIndent}${containersKey}:\n${item(itemIndent)}`);
  }
  const list = pair.value;
  if (!isSeq(list) || list.items.some((other) => isMap(other) && other.get("user") === user)) return undefined;
  const last = list.items.at(-1) as Node | undefined;
  if (!last)
    return list.flow ? splice(text, list.range?.[0], list.range?.[1], `\n${item(itemIndent)}`.trimEnd()) : undefined;
  const at = lineEnd(text, last.range?.[1]);
  return list.flow ? undefined : splice(text, at, at, item(indentOf(text, last, "- ") ?? itemIndent));
}

/** PURE: the text without the lines of a person's item. The last one leaves an empty list. */
export function cutItem(text: string, document: Document, user: string): string | undefined {
  const config = document.get("config");
  const pair = isMap(config) ? pairOf(config) : undefined;
  const list = pair?.value;
  if (!isSeq(list) || list.flow) return undefined;
  const item = list.items.find((other): other is YAMLMap => isMap(other) && other.get("user") === user);
  const start = item?.range ? text.lastIndexOf("\n", item.range[0]) + 1 : undefined;
  if (!item || start === undefined || indentOf(text, item, "- ") === undefined) return undefined;
  const rest = splice(text, start, lineEnd(text, item.range?.[1]), "");
  if (rest === undefined || list.items.length > 1) return rest;
  const colon = text.indexOf(":", (pair?.key as Node | undefined)?.range?.[1]);
  return splice(rest, colon + 1, colon + 1, " []");
}

function pairOf(config: YAMLMap): Pair | undefined {
  return config.items.find(({ key }) => isScalar(key) && key.value === containersKey);
}

/** The spaces before a node that is the first on its line (but for `marker`). */
function indentOf(text: string, node: Node | undefined, marker = ""): string | undefined {
  if (!node?.range) return undefined;
  const before = text.slice(text.lastIndexOf("\n", node.range[0] - 1) + 1, node.range[0]);
  return before.trimStart() === marker ? before.slice(0, before.length - marker.length) : undefined;
}

/** Where the line ends in which `offset` is, its line break included. */
function lineEnd(text: string, offset: number | null | undefined): number | undefined {
  if (offset === undefined || offset === null) return undefined;
  if (text[offset - 1] === "\n") return offset;
  const end = text.indexOf("\n", offset);
  return end < 0 ? undefined : end + 1;
}

function splice(text: string, from: number | undefined, to: number | undefined, inserted: string): string | undefined {
  return from === undefined || to === undefined ? undefined : text.slice(0, from) + inserted + text.slice(to);
}

function indented(text: string, indent: string): string {
  return text.replace(/^(?=.)/gm, indent);
}

function withNewline(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

/** Whether the `-` of a list stands to the right of its key, as most people write it, or below it. */
export function indentsLists(text: string): boolean {
  return !/^( *)\S.*:[ ]*\n\1- /m.test(text);
}
