import { goldenAlias, goldenNames } from "../containers/image";
import { readRecord } from "../containers/record";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";

/** A golden image of a server: what new people's containers are copied from. */
export interface ServerImage {
  server: string;
  /** `debian/13` */
  name: string;
  /** Its alias in Incus. */
  alias: string;
  fingerprint: string;
  /** Of the startup files that it was baked with; empty when it does not say. */
  version: string;
  /** Whether that is what the server's startup files are now. */
  isCurrentVersion: boolean;
  /** ISO 8601, UTC; empty when it does not say. */
  bakedAt: string;
  bytes: number;
  /** How many people's containers were copied from exactly this one. */
  containers: number;
}

/** A person's container that was copied from another image than a new one would be. */
export interface OlderContainer {
  user: string;
  server: string;
  /** Name of the image: `debian/13`. */
  image: string;
  /** Of the image that it was copied from; that may be gone. Empty when Incus does not say. */
  copiedFrom: string;
  /** Of the image by that name now. */
  present: string;
}

export interface ServerImages {
  images: ServerImage[];
  olderContainers: OlderContainer[];
}

/** The golden images of one server, and who has a container from an earlier one. */
export async function listImages(server: Server, options?: RequestOptions): Promise<ServerImages> {
  const [found, instances, wanted] = await Promise.all([
    server.incus.images.list(options),
    server.incus.instances.list(options),
    server.helper({ op: "image.status" }, options),
  ]);
  const copies = instances.flatMap((instance) => {
    const record = readRecord(instance);
    return record === undefined ? [] : [{ record, copiedFrom: instance.config["volatile.base_image"] ?? "" }];
  });
  const images = found.flatMap((image) =>
    goldenNames(image).map((name): ServerImage => {
      const { fingerprint, properties } = image;
      const version = properties["containarium.version"] ?? "";
      return {
        server: server.name,
        name,
        alias: goldenAlias(name),
        fingerprint,
        version,
        isCurrentVersion: version === wanted.version,
        bakedAt: properties["containarium.baked-at"] ?? "",
        bytes: image.size,
        containers: copies.filter(({ copiedFrom }) => copiedFrom === fingerprint).length,
      };
    }),
  );
  const present = new Map(images.map(({ name, fingerprint }) => [name, fingerprint]));
  return {
    images: images.sort((a, b) => a.name.localeCompare(b.name)),
    olderContainers: copies
      .map(({ record: { user, image }, copiedFrom }) => ({
        user,
        server: server.name,
        image,
        copiedFrom,
        present: present.get(image) ?? "",
      }))
      .filter(({ copiedFrom, present }) => present !== "" && copiedFrom !== present)
      .sort((a, b) => a.user.localeCompare(b.user)),
  };
}
