import { isDeepStrictEqual } from "node:util";
import path from "node:path";
import { isMap, isSeq, parse, parseDocument, YAMLMap, YAMLSeq } from "yaml";
import type { Document } from "yaml";

import type { ContainerSpec } from "../../ops/containers/container";
import { InvalidInputError } from "../../ops/errors";
import { containersKey, cutItem, indentsLists, insertItem } from "./config-splice";

/** One entry of `containarium:containers`: what is wanted, and on which server. */
export interface DesiredContainer extends ContainerSpec {
  server?: string;
}

/** A change to what the config says of one person. Of somebody whom it does not name, nothing is said. */
export interface DesiredEdit {
  user: string;
  /** PURE. Called when nobody else changes the config, so that no two administrators undo each other's change. */
  apply(entry: DesiredContainer): DesiredContainer;
}

/** What is to change in the config: these added or replaced, those changed, those removed. */
export interface DesiredChange {
  put?: DesiredContainer[];
  edit?: DesiredEdit[];
  remove?: string[];
}

/** What an entry may say, in the order in which it is written. */
export const desiredFields = [
  "user",
  "sshKeys",
  "server",
  "image",
  "cpu",
  "memory",
  "diskQuota",
  "processes",
  "autostart",
  "docker",
  "snapshotSchedule",
  "snapshotExpiry",
] as const;

export type DesiredField = (typeof desiredFields)[number];

/** PURE: the people whom a config's text names. */
export function readConfig(text: string, file: string): DesiredContainer[] {
  const list = containersOf(parseConfig(text, file));
  return (list?.items ?? []).filter((item) => isMap(item)).map((item) => item.toJSON() as DesiredContainer);
}

/**
 * PURE: the config's text with the change made; the same text when there is nothing to change.
 *
 * People read and review this file. Writing the parsed document would keep its comments but not its spacing, so people
 * are added and removed as lines; where the result is not exactly what the document says, the document is written.
 */
export function editConfig(text: string, change: DesiredChange, file: string): string {
  const { put = [], edit = [], remove = [] } = change;
  let result = text;
  for (const wanted of put)
    result = applied(
      result,
      file,
      (document) => putContainer(document, wanted),
      (list) => insertItem(result, list, wanted.user, plain(wanted)),
    );
  for (const { user, apply } of edit) {
    const entry = readConfig(result, file).find((one) => one.user === user);
    if (entry === undefined) continue;
    result = applied(
      result,
      file,
      (document) => putContainer(document, apply(entry)),
      () => undefined,
    );
  }
  for (const user of remove)
    result = applied(
      result,
      file,
      (document) => removeContainer(document, user),
      (list) => cutItem(result, list, user),
    );
  return result;
}

function applied(
  text: string,
  file: string,
  change: (document: Document) => boolean,
  splice: (document: Document) => string | undefined,
): string {
  const document = parseConfig(text, file);
  if (!change(document)) return text;
  const spliced = splice(parseConfig(text, file));
  if (spliced !== undefined && says(spliced, document.toJS())) return spliced;
  return document.toString({ lineWidth: 0, flowCollectionPadding: /[{[] /.test(text), indentSeq: indentsLists(text) });
}

function says(text: string, expected: unknown): boolean {
  try {
    return isDeepStrictEqual(parse(text), expected);
  } catch {
    return false;
  }
}

function putContainer(document: Document, wanted: DesiredContainer): boolean {
  let list = containersOf(document);
  if (!list) {
    list = new YAMLSeq();
    document.setIn(["config", containersKey], list);
  }
  const found = list.items.find((item): item is YAMLMap => isMap(item) && item.get("user") === wanted.user);
  const entry = found ?? new YAMLMap();
  const before = entry.toJSON() as Record<string, unknown>;
  let changed = !found;
  for (const field of desiredFields) {
    const value = wanted[field];
    if (isDeepStrictEqual(value, before[field])) continue;
    changed = true;
    if (value === undefined) entry.delete(field);
    else entry.set(field, document.createNode(value));
  }
  if (!found && list.items.length === 0) list.flow = false;
  if (!found) list.add(entry);
  return changed;
}

function removeContainer(document: Document, user: string): boolean {
  const list = containersOf(document);
  const index = list?.items.findIndex((item) => isMap(item) && item.get("user") === user) ?? -1;
  if (!list || index < 0) return false;
  list.delete(index);
  if (list.items.length === 0) list.flow = true;
  return true;
}

/** In the order in which the config is written. */
function plain(wanted: DesiredContainer): Record<string, unknown> {
  const entries = desiredFields.map((field): [string, unknown] => [field, wanted[field]]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function containersOf(document: Document): YAMLSeq | undefined {
  const list = document.getIn(["config", containersKey]);
  return isSeq(list) ? list : undefined;
}

function parseConfig(text: string, file: string): Document {
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem) {
    throw new InvalidInputError(`${path.basename(file)} is not valid YAML: ${problem.message.split("\n")[0]}`, {
      remedy: `Correct ${file}.`,
    });
  }
  const list = document.getIn(["config", containersKey]);
  if (list !== undefined && list !== null && !isSeq(list)) {
    throw new InvalidInputError(`${path.basename(file)}: ${containersKey} is not a list`, {
      remedy: "It is a list of people:  - {user: alice, sshKeys: [...]}",
    });
  }
  return document as Document;
}
