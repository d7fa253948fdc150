import path from "node:path";
import lockfile from "proper-lockfile";
import { isMap, isSeq, parseDocument, YAMLMap, YAMLSeq } from "yaml";
import type { Document } from "yaml";

import type { ContainerSpec } from "../../ops/containers/container";
import { ConflictError, InvalidInputError } from "../../ops/errors";
import { readIfExists, replaceFile } from "../replace-file";

/** One entry of `containarium:containers`: what is wanted, and on which server. */
export interface DesiredContainer extends ContainerSpec {
  server?: string;
}

const key = "containarium:containers";
const fields = ["user", "sshKeys", "server", "image", "cpu", "memory", "diskQuota", "autostart", "docker"] as const;

/** The people whom the stack's config names. */
export async function readDesired(file: string): Promise<DesiredContainer[]> {
  const list = containers(parseConfig((await readIfExists(file)) ?? "", file));
  return (list?.items ?? []).filter((item) => isMap(item)).map((item) => item.toJSON() as DesiredContainer);
}

/** What is to change in the config: these added or replaced, those removed. */
export interface DesiredChange {
  put?: DesiredContainer[];
  remove?: string[];
}

/**
 * Changes the config file, keeping its comments and everything it does not touch. Serialised between processes by a
 * lock, replaced as a whole: nobody ever sees half a file.
 * @returns whether anything changed
 */
export async function changeDesired(file: string, change: DesiredChange): Promise<boolean> {
  const release = await lockConfig(file);
  try {
    const before = (await readIfExists(file)) ?? "";
    const after = editConfig(before, change, file);
    if (after === before) return false;
    await replaceFile(file, after, 0o644);
    return true;
  } finally {
    await release();
  }
}

/** PURE: the config's text with the change made. The same text when there is nothing to change. */
export function editConfig(text: string, { put = [], remove = [] }: DesiredChange, file: string): string {
  const document = parseConfig(text, file);
  let changed = false;
  for (const wanted of put) changed = putContainer(document, wanted) || changed;
  for (const user of remove) changed = removeContainer(document, user) || changed;
  if (!changed) return text;
  return document.toString({ lineWidth: 0, indentSeq: !/^( *)\S.*:[ ]*\n\1- /m.test(text) });
}

function putContainer(document: Document, wanted: DesiredContainer): boolean {
  let list = containers(document);
  if (!list) {
    list = new YAMLSeq();
    document.setIn(["config", key], list);
  }
  const found = list.items.find((item): item is YAMLMap => isMap(item) && item.get("user") === wanted.user);
  const entry = found ?? new YAMLMap();
  let changed = !found;
  for (const field of fields) {
    const value = wanted[field];
    if (JSON.stringify(value) === JSON.stringify(toPlain(entry, field))) continue;
    changed = true;
    if (value === undefined) entry.delete(field);
    else entry.set(field, document.createNode(value));
  }
  // `containers: []` would keep its brackets, and people's keys would share one endless line.
  if (!found && list.items.length === 0) list.flow = false;
  if (!found) list.add(entry);
  return changed;
}

function removeContainer(document: Document, user: string): boolean {
  const list = containers(document);
  const index = list?.items.findIndex((item) => isMap(item) && item.get("user") === user) ?? -1;
  if (!list || index < 0) return false;
  list.delete(index);
  if (list.items.length === 0) list.flow = true;
  return true;
}

function toPlain(entry: YAMLMap, field: string): unknown {
  return (entry.toJSON() as Record<string, unknown>)[field];
}

function containers(document: Document): YAMLSeq | undefined {
  const list = document.getIn(["config", key]);
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
  const config = document.getIn(["config", key]);
  if (config !== undefined && config !== null && !isSeq(config)) {
    throw new InvalidInputError(`${path.basename(file)}: ${key} is not a list`, {
      remedy: "It is a list of people:  - {user: alice, sshKeys: [...]}",
    });
  }
  return document as Document;
}

async function lockConfig(file: string): Promise<() => Promise<void>> {
  try {
    return await lockfile.lock(file, {
      realpath: false,
      stale: 10_000,
      retries: { retries: 20, minTimeout: 50, maxTimeout: 500 },
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ELOCKED") throw error;
    throw new ConflictError(`somebody else is changing ${path.basename(file)}`, {
      remedy: `Run it again; if nobody is, remove the folder ${file}.lock`,
      cause: error,
    });
  }
}
