import path from "node:path";

import { parseUserName } from "../../ops/containers/user-name";
import { InvalidInputError, OperationError } from "../../ops/errors";
import { loadOps } from "../services";
import { shellWord } from "../output/shell-word";
import { exportText, homeRelative, installedKnownHosts } from "../ssh/export-text";
import type { ExportFiles } from "../ssh/export-text";
import { installExport } from "../ssh/install";
import { writeExport } from "../ssh/write-export";
import { nextCommand } from "../target-flags";
import type { Target } from "../target";
import { command } from "./command";
import type { Context, Result } from "./command";
import { findUser } from "./find-user";

export const exportCommand = command({
  usage: "export <user>",
  describe: "Write the SSH config with which a user logs in, host keys pinned",
  positional: { user: { describe: "login name" } },
  options: {
    "jump-ip": { type: "string", requiresArg: true, describe: "address of the server as the user reaches it" },
    key: { type: "string", requiresArg: true, describe: "the user's private key, as a path on the user's machine" },
    output: {
      type: "string",
      requiresArg: true,
      conflicts: "install",
      describe: "write FILE, and FILE.known_hosts beside it; for ssh -F FILE",
    },
    install: { type: "boolean", default: undefined, describe: "put it into ~/.ssh of this machine" },
  },
  examples: [
    ["$0 export alice > alice-ssh-config", "a file to send to alice"],
    ["$0 export alice --key ~/.ssh/id_ed25519 --install", "into ~/.ssh here; then: ssh alice-dev"],
    ["$0 export alice --output alice.conf", "then: ssh -F alice.conf alice-dev"],
  ],
  async run(args, context): Promise<Result> {
    const { user } = args;
    parseUserName(user);
    const keyFile = args.key === undefined ? undefined : privateKeyPath(args.key, context);
    const jumpAddress = args["jump-ip"] === undefined ? undefined : parseAddress(args["jump-ip"]);
    const target = await context.target();
    const found = await findUser(user, target, context);
    const { renderKnownHosts, renderSshConfig } = loadOps();
    const { container } = found;
    const { balancer } = target;
    if (container.hostKeys.length === 0) throw noHostKey(user, target);
    const server = await addressOf(user, found.server.name, jumpAddress, target);
    const files: ExportFiles = {
      user,
      knownHosts: renderKnownHosts(server, container, balancer && target.addresses),
      config: (knownHostsFile, key) =>
        renderSshConfig({ user, server, balancer, container, keyFile: key, jumpAddress, knownHostsFile }),
    };
    return deliver(files, { output: args.output, install: args.install === true, keyFile }, context);
  },
});

interface Delivery {
  output: string | undefined;
  install: boolean;
  /** Absolute. */
  keyFile: string | undefined;
}

async function deliver(files: ExportFiles, { output, install, keyFile }: Delivery, context: Context): Promise<Result> {
  const { home, cwd } = context.io;
  const { user, knownHosts } = files;
  if (install) {
    const written = await installExport(files, home, keyFile).catch(cannotWrite);
    const text = `${user}'s SSH config is in ${written.configFile}${written.changed ? "" : " (unchanged)"}.  Try:  ssh ${user}-dev`;
    return { json: { export: { user, ...written } }, text };
  }
  if (output !== undefined) {
    const written = await writeExport(files, path.resolve(cwd, output), keyFile).catch(cannotWrite);
    const shown = path.relative(cwd, written.configFile);
    const file = shown.startsWith("..") ? written.configFile : shown;
    const text = `${user}'s SSH config is in ${file}${written.changed ? "" : " (unchanged)"}.  Try:  ssh -F ${shellWord(file)} ${user}-dev`;
    return { json: { export: { user, ...written } }, text };
  }
  const config = files.config(installedKnownHosts, keyFile && homeRelative(keyFile, home));
  return { json: { export: { user, config, knownHosts } }, text: exportText(user, config, knownHosts) };
}

function cannotWrite(error: NodeJS.ErrnoException): never {
  throw new InvalidInputError(`cannot write ${error.path ?? "the file"}: ${error.message.split(",")[0] ?? ""}`, {
    remedy: "Name a file that you may write with --output.",
    cause: error,
  });
}

/** A config without the container's key would make its user trust whatever answers. */
function noHostKey(user: string, target: Target): OperationError {
  return new OperationError(`${user}'s container has never answered: its host key is not known yet`, {
    remedy: nextCommand(target, `info ${user}`),
  });
}

/** The private key is only named, never read; who names the public one means the private one beside it. */
function privateKeyPath(text: string, { io }: Context): string {
  if (/[\n\r"]/.test(text) || text.trim() === "") {
    throw new InvalidInputError(`--key ${JSON.stringify(text)} is not a file name`, {
      remedy: "Name the private key's file.",
    });
  }
  return path.resolve(io.cwd, text.replace(/^~(?=\/|$)/, io.home).replace(/\.pub$/, ""));
}

function parseAddress(text: string): string {
  if (/^[a-z0-9][a-z0-9.:-]*$/i.test(text)) return text;
  throw new InvalidInputError(`--jump-ip ${JSON.stringify(text)} is not an address`, {
    remedy: "Give the address or host name of the server, for example 203.0.113.5.",
  });
}

async function addressOf(user: string, name: string, jumpAddress: string | undefined, target: Target) {
  const known = target.addresses.find((address) => address.name === name);
  if (known) return known;
  // This machine: it knows its host keys, but not under which address people reach it.
  if (jumpAddress === undefined) {
    throw new InvalidInputError("this machine does not know the address at which people reach it", {
      remedy: nextCommand(target, `export ${user} --jump-ip ADDRESS`),
    });
  }
  const server = await target.servers.server(name);
  const status = await server.helper<{ name: string; hostKeys: string[] }>({ op: "server.status" });
  return { name: status.name, address: jumpAddress, port: 22, adminUser: "root", hostKeys: status.hostKeys };
}
