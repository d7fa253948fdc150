import { execFileSync } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { InvalidInputError, parsePublicKey, readPublicKeys } from "../../../ops";
import { ALICE_KEY, BOB_KEY, keyOf } from "../../fakes/keys";

const curvePoint = (name: "P-256" | "P-384" | "P-521", bytes: number): Buffer => {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: name });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const pad = (text: string) => Buffer.concat([Buffer.alloc(bytes), Buffer.from(text, "base64url")]).subarray(-bytes);
  return Buffer.concat([Buffer.from([4]), pad(x), pad(y)]);
};
const P256 = curvePoint("P-256", 32);
const modulus = (bits: number) =>
  Buffer.concat([Buffer.from([0, 0x80]), Buffer.alloc(bits / 8 - 2, 7), Buffer.from([1])]);
const E = Buffer.from([1, 0, 1]);

const GOOD: Record<string, string> = {
  "ssh-ed25519": keyOf("ssh-ed25519", Buffer.alloc(32, 9)),
  "ecdsa-sha2-nistp256": keyOf("ecdsa-sha2-nistp256", "nistp256", P256),
  "ecdsa-sha2-nistp384": keyOf("ecdsa-sha2-nistp384", "nistp384", curvePoint("P-384", 48)),
  "ecdsa-sha2-nistp521": keyOf("ecdsa-sha2-nistp521", "nistp521", curvePoint("P-521", 66)),
  "ssh-rsa": keyOf("ssh-rsa", E, modulus(2048)),
  "sk-ssh-ed25519@openssh.com": keyOf("sk-ssh-ed25519@openssh.com", Buffer.alloc(32, 9), "ssh:"),
  "sk-ecdsa-sha2-nistp256@openssh.com": keyOf("sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", P256, "ssh:"),
};

describe("parsePublicKey", () => {
  it.each(Object.entries(GOOD))("takes %s", (type, line) => {
    const key = parsePublicKey(`${line}  alice  at home \r\n`, "alice.pub");
    expect(key).toMatchObject({ type, comment: "alice at home", line: `${line} alice at home` });
    expect(key.fingerprint).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
    expect(parsePublicKey(line, "alice.pub").line).toBe(line);
  });

  it("agrees with ssh-keygen about every type that it makes, and about the fingerprint", () => {
    const directory = mkdtempSync(join(tmpdir(), "containarium-keys-"));
    try {
      for (const [type, bits] of [
        ["ed25519", "256"],
        ["ecdsa", "256"],
        ["ecdsa", "384"],
        ["ecdsa", "521"],
        ["rsa", "2048"],
      ] as const) {
        const file = join(directory, `${type}-${bits}`);
        execFileSync("ssh-keygen", ["-q", "-t", type, "-b", bits, "-N", "", "-C", "a comment", "-f", file]);
        const key = parsePublicKey(readFileSync(`${file}.pub`, "utf8"), "a.pub");
        const said = execFileSync("ssh-keygen", ["-l", "-f", `${file}.pub`], { encoding: "utf8" });
        expect(said.split(" ")[1]).toBe(key.fingerprint);
        expect(key.comment).toBe("a comment");
        expect(() => parsePublicKey(readFileSync(file, "utf8"), "a")).toThrow("a is a private key");
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  const ed = GOOD["ssh-ed25519"]!;
  it.each<[string, string, string | RegExp]>([
    ["nothing", "", "alice.pub is empty"],
    ["only blanks", " \n\n", "alice.pub is empty"],
    [
      "an OpenSSH private key",
      "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END",
      "is a private key",
    ],
    ["a PEM private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", "is a private key"],
    ["a PuTTY private key", "PuTTY-User-Key-File-3: ssh-ed25519\n", "is a private key"],
    ["the body of a private key", "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU", "is a private key"],
    ["an SSH2 file", "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n", "not in OpenSSH format"],
    ["a PEM public key", "-----BEGIN PUBLIC KEY-----\nMIIB\n", "not in OpenSSH format"],
    ["two keys", `${ed}\n${BOB_KEY}\n`, "has 2 lines"],
    ["a key cut in two", `${ed.slice(0, 40)}\n${ed.slice(40)}`, "has 2 lines"],
    ["options", `no-pty,command="id" ${ed}`, "has options before the key type"],
    ["one option", `restrict ${ed}`, "has options before the key type"],
    ["a host name (known_hosts)", `example.com ${ed}`, "has options before the key type"],
    ["a line break in the comment", `${ed} a\rb`, "has 2 lines"],
    ["an escape in the comment", `${ed} a\u001b[31mb`, "control characters"],
    ["a NUL", `${ed} a\u0000`, "control characters"],
    ["a Unicode line separator", `${ed} a\u2028ssh-rsa`, "control characters"],
    ["no data", "ssh-ed25519", "has a key type but no key"],
    ["text for data", "ssh-ed25519 banana!", "not base64"],
    ["base64 without its padding", `${GOOD["ssh-rsa"]!.replace(/=+$/, "")}`, /not base64|^$/],
    ["a key that was cut", ed.slice(0, -8), "is damaged"],
    ["bytes behind the key", keyOf("ssh-ed25519", Buffer.alloc(32, 9), "more"), "goes on after its end"],
    ["another type inside", `ssh-rsa ${ed.split(" ")[1]}`, "says ssh-rsa but its data says ssh-ed25519"],
    ["nonsense inside", `ssh-ed25519 ${Buffer.from("banana").toString("base64")}`, "is damaged"],
    ["a short ed25519 key", keyOf("ssh-ed25519", Buffer.alloc(31)), "32 bytes"],
    ["the wrong curve", keyOf("ecdsa-sha2-nistp256", "nistp384", P256), "the curve is not nistp256"],
    [
      "a point that is not on the curve",
      keyOf("ecdsa-sha2-nistp256", "nistp256", Buffer.concat([Buffer.from([4]), randomBytes(64)])),
      "not on nistp256",
    ],
    ["DSA", keyOf("ssh-dss", E, E, E, E), "DSA"],
    ["a short RSA key", keyOf("ssh-rsa", E, modulus(1024)), "RSA key of 1024 bits"],
    ["an even RSA exponent", keyOf("ssh-rsa", Buffer.from([2]), modulus(2048)), "exponent"],
    ["a certificate", `ssh-ed25519-cert-v01@openssh.com ${ed.split(" ")[1]}`, "is a certificate"],
    ["banana", "banana", "not an OpenSSH public key"],
    ["a line without end", `${ed} ${"x".repeat(9000)}`, "too long"],
  ])("refuses %s", (_what, text, message) => {
    if (message instanceof RegExp && !/=$/.test(GOOD["ssh-rsa"]!)) return;
    expect(() => parsePublicKey(text, "alice.pub")).toThrow(message);
    expect(() => parsePublicKey(text, "alice.pub")).toThrow(
      expect.objectContaining({ kind: "invalid", remedy: expect.any(String) }),
    );
  });

  it("keeps a private key out of the message", () => {
    const secret = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQSECRET";
    try {
      parsePublicKey(secret, "alice.pub");
    } catch (error) {
      expect(JSON.stringify(error) + String(error)).not.toContain("SECRET");
    }
    expect.hasAssertions();
  });

  it("throws InvalidInputError or returns one clean line, whatever comes", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }),
      fc
        .tuple(fc.constantFrom(...Object.values(GOOD)), fc.string({ unit: "binary", maxLength: 30 }))
        .map(([key, rest]) => `${key} ${rest}`),
      fc
        .tuple(fc.constantFrom(...Object.keys(GOOD)), fc.uint8Array())
        .map(([type, bytes]) => `${type} ${Buffer.from(bytes).toString("base64")}`),
    );
    fc.assert(
      fc.property(text, (input) => {
        try {
          const key = parsePublicKey(input, "x");
          expect(key.line).not.toMatch(/[\r\n\0]/);
          expect(parsePublicKey(key.line, "x")).toEqual(key);
        } catch (error) {
          if (!(error instanceof InvalidInputError)) throw error;
        }
      }),
    );
  });
});

describe("readPublicKeys", () => {
  it("reads several, skips comments and blank lines, and gives each key once, whatever its comment", () => {
    const text = `# people\n\n${ALICE_KEY}\r\n  ${BOB_KEY}\n${ALICE_KEY.replace("alice@laptop", "again")}\n`;
    expect(readPublicKeys(text, "keys").map(({ comment }) => comment)).toEqual(["alice@laptop", "bob@laptop"]);
  });

  it("names the line of a bad one", () => {
    expect(() => readPublicKeys(`# people\n${ALICE_KEY}\nbanana\n`, "keys")).toThrow("keys line 3 is not");
  });

  it("refuses a file without a key, and a private key", () => {
    expect(() => readPublicKeys("# nobody\n", "keys")).toThrow("keys holds no public key");
    expect(() => readPublicKeys("-----BEGIN OPENSSH PRIVATE KEY-----\n", "keys")).toThrow("private key");
  });
});
