import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { utils, type AuthenticationType } from "ssh2";
import { AuthenticationError } from "../errors";

/** One way to prove who we are, as ssh2's authHandler takes it. */
export type Identity =
  | { type: Extract<AuthenticationType, "publickey">; username: string; key: Buffer }
  | { type: Extract<AuthenticationType, "agent">; username: string; agent: string };

export interface Identities {
  methods: Identity[];
  /** What was found, for the message when the server refuses all of it. */
  names: string[];
  /** Default key files that could not be used because they have a passphrase. */
  encrypted: string[];
}

export interface IdentitySource {
  user: string;
  /** A private key; `~/` is the home directory, other relative paths start at `baseDirectory`. */
  identityFile?: string;
  /** Default: the working directory. */
  baseDirectory?: string;
  /** Default: `process.env`. */
  environment?: NodeJS.ProcessEnv;
  /** Default: the user's. */
  home?: string;
}

const DEFAULT_FILES = ["id_ed25519", "id_ecdsa", "id_rsa"];
const ENCRYPTED = Symbol("encrypted");

/**
 * The keys to try: the identity file alone if one is named; else those of the SSH agent, then ~/.ssh/id_ed25519,
 * id_ecdsa and id_rsa.
 *
 * @throws AuthenticationError when there is nothing to try
 */
export async function findIdentities(source: IdentitySource): Promise<Identities> {
  const { user, home = homedir(), environment = process.env } = source;
  const agent = await findAgent(user, environment);
  if (source.identityFile !== undefined) {
    return fromFile(user, resolvePath(source.identityFile, source.baseDirectory, home), agent);
  }
  const found: Identities = { methods: [], names: [], encrypted: [] };
  if (agent !== undefined) {
    found.methods.push(agent);
    found.names.push("the SSH agent");
  }
  for (const name of DEFAULT_FILES) {
    const path = join(home, ".ssh", name);
    const key = await readPrivateKey(path).catch(() => undefined);
    if (key === ENCRYPTED) found.encrypted.push(path);
    else if (key !== undefined) {
      found.methods.push({ type: "publickey", username: user, key });
      found.names.push(path);
    }
  }
  if (found.methods.length > 0) return found;
  const why = found.encrypted.length > 0 ? `${found.encrypted.join(", ")} has a passphrase` : "~/.ssh holds none";
  throw new AuthenticationError(`no private key to log in with: there is no SSH agent, and ${why}`, {
    remedy: "Name a key file, or start an agent:\n  eval $(ssh-agent) && ssh-add",
  });
}

async function fromFile(user: string, path: string, agent: Identity | undefined): Promise<Identities> {
  const key = await readPrivateKey(path).catch((error: Error) => {
    throw new AuthenticationError(`cannot read the private key ${path}: ${error.message}`, {
      cause: error,
      remedy: "Check the path, and that the file belongs to you.",
    });
  });
  if (key !== ENCRYPTED) return { methods: [{ type: "publickey", username: user, key }], names: [path], encrypted: [] };
  // With an agent the key may be in there, unlocked.
  if (agent !== undefined) return { methods: [agent], names: ["the SSH agent"], encrypted: [path] };
  throw new AuthenticationError(`the private key ${path} has a passphrase, and there is no SSH agent`, {
    remedy: `Unlock it in an agent:\n  eval $(ssh-agent) && ssh-add ${path}`,
  });
}

async function readPrivateKey(path: string): Promise<Buffer | typeof ENCRYPTED> {
  const content = await readFile(path);
  const parsed = utils.parseKey(content);
  if (!(parsed instanceof Error)) {
    if (!parsed.isPrivateKey()) throw new Error("it is a public key");
    return content;
  }
  if (/encrypted|passphrase/i.test(parsed.message)) return ENCRYPTED;
  throw new Error(parsed.message);
}

async function findAgent(user: string, environment: NodeJS.ProcessEnv): Promise<Identity | undefined> {
  const path = environment["SSH_AUTH_SOCK"];
  if (path === undefined || path === "") return undefined;
  const isThere = await stat(path).then(
    (found) => found.isSocket(),
    () => false,
  );
  return isThere ? { type: "agent", username: user, agent: path } : undefined;
}

function resolvePath(path: string, baseDirectory: string | undefined, home: string): string {
  if (path === "~" || path.startsWith("~/")) return join(home, path.slice(1));
  return isAbsolute(path) ? path : resolve(baseDirectory ?? process.cwd(), path);
}
