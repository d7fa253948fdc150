import type { WireReader } from "./wire";

/** sshd refuses shorter ones by default since OpenSSH 9.1 only below 1024; NIST SP 800-131A asks for 2048. */
const RSA_MINIMUM_BITS = 2048;
/** OPENSSH_RSA_MAX_MODULUS_BITS in OpenSSH's sshkey.h. */
const RSA_MAXIMUM_BITS = 16384;

/** Too weak or too large, as opposed to malformed: the message is for the user as it is. */
export class UnsuitableKeyError extends Error {}

/** Checks what follows the type name in the key data; throws a RangeError when it is not a key of this type. */
type Check = (reader: WireReader) => void;

const CURVES = {
  nistp256: { jwk: "P-256", bytes: 32 },
  nistp384: { jwk: "P-384", bytes: 48 },
  nistp521: { jwk: "P-521", bytes: 66 },
} as const;

function ed25519(reader: WireReader): void {
  if (reader.string().length !== 32) throw new RangeError("an ed25519 key has 32 bytes");
}

function ecdsa(curve: keyof typeof CURVES): Check {
  return (reader) => {
    const { jwk, bytes } = CURVES[curve];
    if (reader.string().toString("latin1") !== curve) throw new RangeError(`the curve is not ${curve}`);
    const point = reader.string();
    if (point.length !== 1 + 2 * bytes || point[0] !== 4) throw new RangeError(`no point of ${curve}`);
    const x = point.subarray(1, 1 + bytes).toString("base64url");
    const y = point.subarray(1 + bytes).toString("base64url");
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- OpenSSL takes milliseconds, and --help checks no key
    const { createPublicKey } = require("node:crypto") as typeof import("node:crypto");
    try {
      createPublicKey({ key: { kty: "EC", crv: jwk, x, y }, format: "jwk" });
    } catch {
      throw new RangeError(`the point is not on ${curve}`);
    }
  };
}

function rsa(reader: WireReader): void {
  const exponent = reader.positiveInteger();
  const modulus = reader.positiveInteger();
  if ((exponent[exponent.length - 1]! & 1) === 0 || (exponent.length === 1 && exponent[0]! < 3)) {
    throw new RangeError("the RSA exponent is not usable");
  }
  const bits = modulus.length * 8 - Math.clz32(modulus[0]!) + 24;
  if (bits < RSA_MINIMUM_BITS) throw new UnsuitableKeyError(`${bits} bits; at least ${RSA_MINIMUM_BITS} are needed`);
  if (bits > RSA_MAXIMUM_BITS) throw new UnsuitableKeyError(`${bits} bits; OpenSSH takes ${RSA_MAXIMUM_BITS} at most`);
}

function securityKey(check: Check): Check {
  return (reader) => {
    check(reader);
    if (reader.string().length === 0) throw new RangeError("a security key names its application");
  };
}

/** The types that are accepted, each with the check of its inner structure. */
export const KEY_TYPES: ReadonlyMap<string, Check> = new Map([
  ["ssh-ed25519", ed25519],
  ["ecdsa-sha2-nistp256", ecdsa("nistp256")],
  ["ecdsa-sha2-nistp384", ecdsa("nistp384")],
  ["ecdsa-sha2-nistp521", ecdsa("nistp521")],
  ["ssh-rsa", rsa],
  ["sk-ssh-ed25519@openssh.com", securityKey(ed25519)],
  ["sk-ecdsa-sha2-nistp256@openssh.com", securityKey(ecdsa("nistp256"))],
]);
