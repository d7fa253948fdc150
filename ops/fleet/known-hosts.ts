import type { Container } from "../containers/container";
import type { ServerAddress } from "./inventory";

/**
 * The pinned keys of both hops, under the names that renderSshConfig gives them (HostKeyAlias): addresses may change
 * hands, these names do not.
 */
export function renderKnownHosts(server: ServerAddress, container: Container): string {
  const lines = [
    ...server.hostKeys.map((key) => `${server.name} ${withoutComment(key)}`),
    ...container.hostKeys.map((key) => `${container.name} ${withoutComment(key)}`),
  ];
  return `${lines.join("\n")}\n`;
}

function withoutComment(key: string): string {
  return key.trim().split(/\s+/).slice(0, 2).join(" ");
}
