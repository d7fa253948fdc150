import fs from "node:fs";
import path from "node:path";
import { CsvError, parse } from "csv-parse/sync";

import { parseUserName } from "../../ops/containers/user-name";
import { InvalidInputError } from "../../ops/errors";
import { readPublicKeys } from "../../ops/keys/public-key";
import type { PublicKey } from "../../ops/keys/public-key";
import { readLimits } from "./create-input";
import type { CreateInput, Wanted } from "./create-input";
import { readKeys } from "./key-files";
import type { KeyIo } from "./key-files";

/** What a table may say of each person. Only the first two are needed. */
const columns = [
  "user",
  "key",
  "server",
  "image",
  "cpu",
  "memory",
  "disk_quota",
  "processes",
  "autostart",
  "docker",
] as const;
type Row = Partial<Record<(typeof columns)[number], string>>;

const remedy = `Its first line names its columns: user,key and any of ${columns.slice(2).join(",")}`;

/**
 * Reads people from a table: comma, semicolon or tab between the columns, the first line names them.
 *
 * @param common what holds for everybody of whom the table says nothing
 * @throws InvalidInputError that names the line
 */
export async function readUsersCsv(
  file: string,
  common: Omit<CreateInput, "users" | "sshKey">,
  io: KeyIo,
): Promise<Wanted[]> {
  const rows = parseRows(readFile(file, io), file);
  if (rows.length === 0) throw new InvalidInputError(`${file} names nobody`, { remedy });
  const wanted: Wanted[] = [];
  for (const { row, line } of rows) {
    try {
      wanted.push(await readRow(row, common, { ...io, cwd: path.dirname(path.resolve(io.cwd, file)) }));
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      throw new InvalidInputError(`${file} line ${line}: ${error.message.replace(/^--/, "")}`, {
        remedy: error.remedy,
        cause: error,
      });
    }
  }
  return wanted;
}

function readFile(file: string, { cwd, home }: KeyIo): string {
  try {
    return fs.readFileSync(path.resolve(cwd, file.replace(/^~(?=\/|$)/, home)), "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? `no such file: ${file}` : `cannot read ${file}: ${message.split(",")[0]}`;
    throw new InvalidInputError(why, { remedy: "Name a CSV file with  --from FILE", cause: error });
  }
}

function parseRows(text: string, file: string): { row: Row; line: number }[] {
  try {
    const parsed = parse(text, {
      bom: true,
      delimiter: [",", ";", "\t"],
      trim: true,
      skip_empty_lines: true,
      info: true,
      columns: (header: string[]) => checkHeader(header, file),
    }) as unknown as { record: Row; info: { lines: number } }[];
    return parsed.map(({ record, info }) => ({ row: record, line: info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new InvalidInputError(`${file} is not a table: ${error.message}`, { remedy, cause: error });
  }
}

function checkHeader(header: string[], file: string): string[] {
  const names = header.map((name) => name.toLowerCase().replaceAll(/[ -]/g, "_"));
  const unknown = names.find((name) => !(columns as readonly string[]).includes(name));
  if (unknown !== undefined) throw new InvalidInputError(`${file} has a column ${JSON.stringify(unknown)}`, { remedy });
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new InvalidInputError(`${file} has the column ${twice} twice`, { remedy });
  const missing = ["user", "key"].find((name) => !names.includes(name));
  if (missing !== undefined) throw new InvalidInputError(`${file} has no column ${missing}`, { remedy });
  return names;
}

async function readRow(row: Row, common: Omit<CreateInput, "users" | "sshKey">, io: KeyIo): Promise<Wanted> {
  const user = parseUserName(row.user ?? "");
  const { image, cpu, memory, disk_quota: diskQuota, processes } = row;
  const yes = { autostart: readYes(row, "autostart"), docker: readYes(row, "docker") };
  const said = { image, cpu, memory, diskQuota, processes, ...yes };
  const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined && value !== ""));
  const keys = await readKey(row.key ?? "", user, io);
  return {
    spec: { user, sshKeys: keys.map(({ line }) => line), ...readLimits({ ...common, ...given }) },
    serverName: row.server || undefined,
  };
}

/** The key itself, several of them on lines of their own, or the name of its file, seen from the table's folder. */
async function readKey(cell: string, user: string, io: KeyIo): Promise<PublicKey[]> {
  if (cell === "")
    throw new InvalidInputError(`${user} has no key`, { remedy: "Give a public key, or the file of one." });
  return /\s/.test(cell) ? readPublicKeys(cell, `the key of ${user}`) : readKeys(cell, `create ${user}`, user, io);
}

function readYes(row: Row, column: "autostart" | "docker"): boolean | undefined {
  const text = row[column]?.toLowerCase() ?? "";
  if (text === "") return undefined;
  if (["yes", "true", "on", "1"].includes(text)) return true;
  if (["no", "false", "off", "0"].includes(text)) return false;
  throw new InvalidInputError(`${column} ${JSON.stringify(row[column])} is neither yes nor no`, {
    remedy: "Write yes or no.",
  });
}
