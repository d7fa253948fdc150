import { ConflictError, NotFoundError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { adoptContainer } from "./adopt";
import type { Container, ContainerSpec } from "./container";
import { ownRecord } from "./prepare";
import type { ContainerRecord } from "./record";
import { resolveSpec, type ResolvedSpec } from "./spec";

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
  const existing = await find(server, wanted, options);
  if (existing.state === "creating") {
    throw new ConflictError(`${wanted.name} is half-made`, {
      server: server.name,
      remedy: `Complete it first:\n  containarium-ops create ${wanted.user}`,
    });
  }
  return adoptContainer(server, wanted, existing, options);
}

async function find(server: Server, { user, name }: ResolvedSpec, options?: RequestOptions): Promise<ContainerRecord> {
  try {
    const { value } = await server.incus.instances.get(name, options);
    return ownRecord(value, user, server.name);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    throw new NotFoundError(`${user} has no container on ${server.name}`, { server: server.name, cause: error });
  }
}
