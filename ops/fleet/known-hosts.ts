import type { Container } from "../containers/container";
import type { ServerAddress } from "./inventory";

/** What the first hop is called where any server of a fleet may answer. */
export const BALANCED_ALIAS = "containarium-jump";

/**
 * The pinned keys of both hops, under the names that renderSshConfig gives them (HostKeyAlias): addresses may change
 * hands, these names do not.
 *
 * @param balanced all servers behind the balancer, when there is one: any of their keys is right
 */
export function renderKnownHosts(
  server: ServerAddress,
  container: Container,
  balanced?: readonly ServerAddress[],
): string {
  const alias = balanced === undefined ? server.name : BALANCED_ALIAS;
  const lines = [
    ...(balanced ?? [server]).flatMap(({ hostKeys }) => hostKeys.map((key) => `${alias} ${withoutComment(key)}`)),
    ...container.hostKeys.map((key) => `${container.name} ${withoutComment(key)}`),
  ];
  return `${lines.join("\n")}\n`;
}

function withoutComment(key: string): string {
  return key.trim().split(/\s+/).slice(0, 2).join(" ");
}
