import type { Resource } from "../resource";
import { types } from "../resource";
import { each, type Rule } from "../rule";

/** Keys that Google's agents read as TRUE or FALSE. */
const switches = ["block-project-ssh-keys", "enable-oslogin", "enable-guest-attributes", "serial-port-enable"];

const sshKey = /^[a-z_][a-z0-9_-]{0,31}:(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]+={0,2}( [^\r\n]*)?$/; // prettier-ignore

const secret = /-----BEGIN [A-Z ]*PRIVATE KEY-----|"private_key"\s*:|AGE-SECRET-KEY-/;

const metadataOf = ({ inputs }: Resource) => Object.entries<any>(inputs.metadata ?? {});
const bytes = (text: unknown) => Buffer.byteLength(String(text));
const isTrue = (value: unknown) => String(value).toUpperCase() === "TRUE";
const keyLines = ({ inputs }: Resource) =>
  typeof inputs.metadata?.["ssh-keys"] === "string" ? inputs.metadata["ssh-keys"].replace(/\n$/, "").split("\n") : [];

export const metadataRules: readonly Rule[] = [
  {
    id: "metadata-key-form",
    what: "A metadata key is 1 to 128 letters, digits, dashes and underscores.",
    source: "api",
    check: each(types.instance, (vm) => metadataOf(vm).map(([key]) => !/^[a-zA-Z0-9-_]{1,128}$/.test(key) && `key ${JSON.stringify(key)}`)), // prettier-ignore
  },
  {
    id: "metadata-value-size",
    what: "A metadata value has at most 256 KiB.",
    source: "api",
    check: each(types.instance, (vm) => metadataOf(vm).map(([key, value]) => bytes(value) > 262144 && `${key} has ${bytes(value)} bytes`)), // prettier-ignore
  },
  {
    id: "metadata-total-size",
    what: "Metadata keys and values together stay below 512 KiB.",
    source: "api",
    check: each(types.instance, (vm) => {
      const total = metadataOf(vm).reduce((sum, [key, value]) => sum + bytes(key) + bytes(value), 0);
      return total >= 524288 && `${total} bytes`;
    }),
  },
  {
    id: "metadata-is-text",
    what: "Metadata values are strings; switches are TRUE or FALSE, written so.",
    source: "docs",
    check: each(types.instance, (vm) =>
      metadataOf(vm).map(
        ([key, value]) =>
          (typeof value !== "string" || (switches.includes(key) && !["TRUE", "FALSE"].includes(value))) &&
          `${key} is ${JSON.stringify(value)}`,
      ),
    ),
  },
  {
    id: "startup-script-in-metadata",
    what: "The startup script is in the metadata: metadataStartupScript excludes it, and replaces the server when it changes.",
    source: "provider",
    check: each([types.instance, types.template], ({ inputs }) => inputs.metadataStartupScript !== undefined && "metadataStartupScript is set"), // prettier-ignore
  },
  {
    id: "project-keys-are-blocked",
    what: "Keys of the whole project open no server of ours.",
    source: "ours",
    check: each(types.instance, ({ inputs }) => !isTrue(inputs.metadata?.["block-project-ssh-keys"]) && "block-project-ssh-keys is not TRUE"), // prettier-ignore
  },
  {
    id: "guest-attributes-are-on",
    what: "A server can say that it is ready and what its host key is.",
    source: "docs",
    check: each(types.instance, ({ inputs }) => !isTrue(inputs.metadata?.["enable-guest-attributes"]) && "enable-guest-attributes is not TRUE"), // prettier-ignore
  },
  {
    id: "ssh-keys-form",
    what: "Each line of ssh-keys is `user:type base64 comment`, and no more.",
    source: "docs",
    check: each(types.instance, (vm) => keyLines(vm).map((line: string) => !sshKey.test(line) && `ssh-keys has ${JSON.stringify(line)}`)), // prettier-ignore
  },
  {
    id: "admin-is-no-jump-user",
    what: "Who has a key in ssh-keys becomes root by Google's agent: nobody with a jump account may.",
    source: "docs",
    check: each(types.instance, (vm, { told }) =>
      keyLines(vm)
        .map((line: string) => line.split(":")[0]!)
        .map((user: string) => told.jumpUsers?.includes(user) === true && `${user} has a jump account`),
    ),
  },
  {
    id: "metadata-has-no-secret",
    what: "No private key is in the metadata: everybody on the server, and every viewer of the project, can read it.",
    source: "ours",
    check: each([types.instance, types.template], (vm) =>
      metadataOf(vm).map(([key, value]) => secret.test(String(value)) && `${key} holds a private key`),
    ),
  },
];
