import { randomBytes } from "node:crypto";
import { utils } from "ssh2";

/** One field of an SSH key: its length, then its bytes. */
export function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** `type base64` of the given fields; the first one is the type. */
export function keyOf(type: string, ...fields: (string | Buffer)[]): string {
  return `${type} ${Buffer.concat([type, ...fields].map(field)).toString("base64")}`;
}

/** A well-formed ed25519 public key that nobody has the private part of. */
export function fakeHostKey(): string {
  return keyOf("ssh-ed25519", randomBytes(32));
}

/** A key pair: the private part as a file holds it, the public part as `type base64`. */
export function keyPair(): { privateKey: string; publicKey: string } {
  for (;;) {
    const pair = utils.generateKeyPairSync("ed25519");
    // ssh2 1.17 writes one in some hundred keys so that it cannot read it itself.
    if (utils.parseKey(pair.private) instanceof Error) continue;
    return { privateKey: pair.private, publicKey: pair.public.trim().split(" ").slice(0, 2).join(" ") };
  }
}

/** Keys that tests give to people. */
export const ALICE_KEY = `${keyOf("ssh-ed25519", Buffer.alloc(32, 1))} alice@laptop`;
export const BOB_KEY = `${keyOf("ssh-ed25519", Buffer.alloc(32, 2))} bob@laptop`;
