import { InvalidInputError } from "../errors";
import { KEY_TYPES, UnsuitableKeyError } from "./key-types";
import { WireReader } from "./wire";

/** A public key as lists and `--json` show it. */
export interface KeySummary {
  /** For example `ssh-ed25519`. */
  type: string;
  /** `SHA256:` and base64 without padding, as `ssh-keygen -l` prints it. */
  fingerprint: string;
  comment: string;
}

/** A checked public key. Two keys are the same when their `blob` is the same, whatever their comments say. */
export interface PublicKey extends KeySummary {
  /** The key data in canonical base64. */
  blob: string;
  /** `type base64 comment`: the line for an authorized_keys file. */
  line: string;
}

/** sshd ignores longer lines; a 16384 bit RSA key needs 2.8 kB. */
const MAXIMUM_LINE = 8000;

const NEW_KEY = "Make a new one:\n  ssh-keygen -t ed25519";

/**
 * Checks one public key in OpenSSH format, down to the bytes inside.
 *
 * @param text the content of a `.pub` file; a line break at the end is fine
 * @param where what the user calls it (`alice.pub`, `--ssh-key`); the error message begins with it
 * @throws InvalidInputError with a remedy
 */
export function parsePublicKey(text: string, where: string): PublicKey {
  refuseOtherFormats(text, where);
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== "");
  if (lines.length === 0) {
    throw invalid(`${where} is empty`, "Give a public key; it is one line in a file that ends with .pub.");
  }
  if (lines.length > 1) {
    throw invalid(`${where} has ${lines.length} lines where one public key is expected`, "Give one key, on one line.");
  }
  return parseLine(lines[0]!.trim(), where);
}

/**
 * Reads a file with several public keys, such as an authorized_keys file without options. Blank lines and lines that
 * begin with `#` are skipped; a key that comes twice is returned once.
 *
 * @throws InvalidInputError when a line is no key, or when there is no key at all
 */
export function readPublicKeys(text: string, where: string): PublicKey[] {
  refuseOtherFormats(text, where);
  const lines = text.split(/\r\n|\n|\r/);
  const keys: PublicKey[] = [];
  const several = lines.filter(isKeyLine).length > 1;
  lines.forEach((line, index) => {
    if (isKeyLine(line)) keys.push(parseLine(line.trim(), several ? `${where} line ${index + 1}` : where));
  });
  if (keys.length === 0) {
    throw invalid(`${where} holds no public key`, "Give a file with one public key on each line.");
  }
  return uniqueKeys(keys);
}

/** The same keys, each once; the first comment wins. */
export function uniqueKeys(keys: readonly PublicKey[]): PublicKey[] {
  const byBlob = new Map<string, PublicKey>();
  for (const key of keys) if (!byBlob.has(key.blob)) byBlob.set(key.blob, key);
  return [...byBlob.values()];
}

/** What may be shown of a key. */
export function summarizeKey({ type, fingerprint, comment }: PublicKey): KeySummary {
  return { type, fingerprint, comment };
}

/** `SHA256:...` of key data in base64, as OpenSSH prints it. */
export function fingerprintOf(blob: string): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- OpenSSL takes milliseconds, and --help shows no key
  const { createHash } = require("node:crypto") as typeof import("node:crypto");
  return `SHA256:${createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64").replace(/=+$/, "")}`;
}

function isKeyLine(line: string): boolean {
  const text = line.trim();
  return text !== "" && !text.startsWith("#");
}

function parseLine(line: string, where: string): PublicKey {
  // Anything that a terminal, an authorized_keys file or a known_hosts file could take for a line break or a command.
  if (/[\p{Cc}\u2028\u2029]/u.test(line.replaceAll("\t", " "))) {
    throw invalid(`${where} contains control characters`, "Give the key as ssh-keygen wrote it.");
  }
  if (line.length > MAXIMUM_LINE) {
    throw invalid(`${where} is too long for a public key (${line.length} characters)`, NEW_KEY);
  }
  const [type = "", base64 = "", ...words] = line.split(/\s+/);
  const check = KEY_TYPES.get(type);
  if (check === undefined) throw refusedType(line, type, where);
  const bytes = decode(base64, where);
  try {
    const reader = new WireReader(bytes);
    const inner = reader.string().toString("latin1");
    if (inner !== type) throw mismatch(type, inner, where);
    check(reader);
    reader.end();
  } catch (error) {
    if (error instanceof InvalidInputError) throw error;
    if (error instanceof UnsuitableKeyError) throw invalid(`${where} is an RSA key of ${error.message}`, NEW_KEY);
    throw invalid(`${where} is damaged: ${(error as Error).message}`, "Copy the whole line of the .pub file again.");
  }
  const blob = bytes.toString("base64");
  const comment = words.join(" ");
  const whole = comment === "" ? `${type} ${blob}` : `${type} ${blob} ${comment}`;
  return { type, fingerprint: fingerprintOf(blob), comment, blob, line: whole };
}

function decode(base64: string, where: string): Buffer {
  if (base64 === "") throw invalid(`${where} has a key type but no key`, "Copy the whole line of the .pub file.");
  const bytes = Buffer.from(base64, "base64");
  // Buffer.from skips what it does not understand, so compare the way back.
  if (bytes.toString("base64") !== base64) {
    throw invalid(`${where} is damaged: its key data is not base64`, "Copy the whole line of the .pub file again.");
  }
  return bytes;
}

function refuseOtherFormats(text: string, where: string): void {
  if (
    /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----|^PuTTY-User-Key-File-/m.test(text) ||
    text.includes("b3BlbnNzaC1rZXktdjEA")
  ) {
    throw invalid(
      `${where} is a private key`,
      "A private key must never leave this machine; give the public key, in the file of that name with .pub at its end.",
    );
  }
  if (/^---- BEGIN SSH2 PUBLIC KEY ----/m.test(text)) {
    throw invalid(`${where} is not in OpenSSH format`, "Convert it:\n  ssh-keygen -i -f FILE");
  }
  if (/-----BEGIN (RSA )?PUBLIC KEY-----/.test(text)) {
    throw invalid(`${where} is not in OpenSSH format`, "Convert it:\n  ssh-keygen -i -m PKCS8 -f FILE");
  }
}

function refusedType(line: string, type: string, where: string): InvalidInputError {
  if (type === "ssh-dss") return invalid(`${where} is a DSA key, which OpenSSH no longer accepts`, NEW_KEY);
  if (/-cert-v0[01]@openssh\.com$/.test(type)) {
    return invalid(`${where} is a certificate, not a public key`, "Give the public key that was signed.");
  }
  const known = [...KEY_TYPES.keys(), "ssh-dss"].some((name) => line.split(/[\s,"]+/).includes(name));
  if (known) {
    return invalid(`${where} has options before the key type`, `Give the key alone: everything from its type on.`);
  }
  return invalid(
    `${where} is not an OpenSSH public key`,
    `It begins with its type, for example ssh-ed25519. ${NEW_KEY}`,
  );
}

function mismatch(type: string, inner: string, where: string): InvalidInputError {
  const found = KEY_TYPES.has(inner) ? `its data says ${inner}` : "its data is no such key";
  return invalid(`${where} says ${type} but ${found}`, "Copy the whole line of the .pub file again.");
}

function invalid(message: string, remedy: string): InvalidInputError {
  return new InvalidInputError(message, { remedy });
}
