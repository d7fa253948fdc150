import type { Container } from "../containers/container";
import type { Balancer, ServerAddress } from "./inventory";
import { BALANCED_ALIAS } from "./known-hosts";

export interface SshConfigOptions {
  user: string;
  server: ServerAddress;
  container: Container;
  /** Where any server of the fleet answers; then `server` is only where the container lives. */
  balancer?: Balancer;
  /** The user's private key. Default: ssh finds it by itself. */
  keyFile?: string;
  /** Where users reach the server, if not where the administrator does (a balancer, another interface). */
  jumpAddress?: string;
  /** Where the pinned keys of renderKnownHosts are. */
  knownHostsFile: string;
}

/**
 * The part of an SSH config that makes `ssh <user>-dev` work: first to the jump server, from there to the container.
 * Nothing is trusted on first use: both hops are pinned in the known_hosts file.
 */
export function renderSshConfig(options: SshConfigOptions): string {
  const { user, server, container } = options;
  const common = [
    `User ${user}`,
    ...(options.keyFile === undefined ? [] : [`IdentityFile ${quote(options.keyFile)}`]),
    // An agent with many keys would run into MaxAuthTries, and users would ban themselves.
    "IdentitiesOnly yes",
    "StrictHostKeyChecking yes",
    `UserKnownHostsFile ${quote(options.knownHostsFile)}`,
    "UpdateHostKeys no",
    // Balancers and routers forget connections on which nothing passes.
    "ServerAliveInterval 30",
  ];
  const { address, port } = options.balancer ?? server;
  const alias = options.balancer === undefined ? server.name : BALANCED_ALIAS;
  const jump = [`HostName ${options.jumpAddress ?? address}`, `Port ${port}`, `HostKeyAlias ${alias}`, ...common];
  const dev = [`HostName ${container.ip}`, `HostKeyAlias ${container.name}`, `ProxyJump ${user}-jump`, ...common];
  return [...section(`${user}-jump`, jump), "", ...section(`${user}-dev`, dev), ""].join("\n");
}

function section(host: string, lines: readonly string[]): string[] {
  return [`Host ${host}`, ...lines.map((line) => `    ${line}`)];
}

/** ssh_config(5): double quotes around spaces; `%` begins a token. */
function quote(path: string): string {
  const text = path.replaceAll("%", "%%");
  return /[\s"#]/.test(text) ? `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : text;
}
