import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { adoptContainer } from "./adopt";
import type { Container, ContainerSpec } from "./container";
import { readOwn } from "./own-container";
import { resolveSpec } from "./spec";

/**
 * Makes an existing container agree with a spec: keys on both hops, limits, autostart, Docker (with its next start).
 * The spec is the whole wish: what it leaves out becomes the default, except the image, which never changes.
 *
 * @throws NotFoundError; InvalidInputError for a quota below what is used, or another image; ConflictError when it is
 *   half-made or not ours
 */
export async function updateContainer(
  server: Server,
  spec: ContainerSpec,
  options?: RequestOptions,
): Promise<Container> {
  const wanted = resolveSpec(spec);
  return adoptContainer(server, wanted, await readOwn(server, wanted.user, options), options);
}
