import fs from "node:fs";
import path from "node:path";

import { InvalidInputError } from "../../ops/errors";
import { readPublicKeys } from "../../ops/keys/public-key";
import type { PublicKey } from "../../ops/keys/public-key";
import type { Io } from "../io";

/** What reading key files needs to know of the process. */
export type KeyIo = Pick<Io, "stdin" | "cwd" | "home">;

/**
 * Reads a file of public keys, or standard input (`-`).
 *
 * @param command what was to be done with them, for the remedy: `create alice`
 * @throws InvalidInputError
 */
export async function readKeys(file: string, command: string, user: string, io: KeyIo): Promise<PublicKey[]> {
  if (file === "") throw new InvalidInputError("--ssh-key is empty", { remedy: "Name the file of a public key." });
  const where = file === "-" ? "standard input" : file;
  const text = file === "-" ? await readAll(io.stdin) : readKeyFile(file, user, io);
  try {
    return readPublicKeys(text, where);
  } catch (error) {
    if (file === "-" || !(error instanceof InvalidInputError) || !error.message.endsWith("is a private key"))
      throw error;
    throw new InvalidInputError(error.message, {
      remedy: `A private key must never leave this machine; give the public key.\n  npx containarium-ops ${command} --ssh-key ${file}.pub`,
    });
  }
}

function readKeyFile(file: string, user: string, { cwd, home }: KeyIo): string {
  // The shell does not expand ~ in `--ssh-key=~/alice.pub`.
  const full = path.resolve(cwd, file.replace(/^~(?=\/|$)/, home));
  try {
    return fs.readFileSync(full, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") {
      const own = `Make one, or ask ${user} for the public key:\n  ssh-keygen -t ed25519 -f ${file.replace(/\.pub$/, "")}`;
      throw new InvalidInputError(`no such file: ${file}`, { remedy: own, cause: error });
    }
    const why = code === "EISDIR" ? "it is a folder" : code === "EACCES" ? "permission denied" : message;
    throw new InvalidInputError(`cannot read ${file}: ${why}`, {
      remedy: "Give the file of a public key, for example alice.pub.",
      cause: error,
    });
  }
}

async function readAll(stdin: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stdin) text += chunk.toString();
  return text;
}

export function refuseSecondStdin(files: readonly string[]): void {
  if (files.filter((file) => file === "-").length < 2) return;
  throw new InvalidInputError("--ssh-key - is given twice", { remedy: "Standard input can be read once." });
}
