import { recordOperation } from "../audit/record-operation";
import { InvalidInputError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { Container } from "./container";
import { changeFor, converge } from "./converge";
import type { ContainerRecord } from "./record";
import { refuseRestoring } from "./restore-mark";
import type { ResolvedSpec } from "./spec";

/**
 * Takes a complete container of ours as the wanted one: makes keys and limits agree, leaves all else. Where they agree
 * already, that is no operation to record: `pulumi up` looks at everything that a command has done.
 */
export async function adoptContainer(
  server: Server,
  spec: ResolvedSpec,
  existing: ContainerRecord,
  request?: RequestOptions,
): Promise<Container> {
  assertSameImage(spec, existing, server.name);
  await refuseRestoring(server, existing, request);
  const { value: instance } = await server.incus.instances.get(spec.name, request);
  const work = () => converge(server, spec, existing, request);
  if (changeFor(instance, spec) === undefined) return work();
  return recordOperation(server, { operation: "update", user: spec.user }, work);
}

/** @throws InvalidInputError: an image is chosen once */
export function assertSameImage(spec: ResolvedSpec, existing: ContainerRecord, server: string): void {
  if (spec.image === undefined || spec.image === existing.image) return;
  throw new InvalidInputError(
    `${existing.name} was made from ${existing.image}; its image cannot become ${spec.image}`,
    {
      server,
      remedy: `Nothing was changed. To start anew (its data is lost):\n  containarium-ops delete ${spec.user}`,
    },
  );
}
