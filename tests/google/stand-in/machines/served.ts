import { createHash } from "node:crypto";

import { localImages } from "../../../../components/local/images";
import type { Thing } from "../project";
import { valuesAt } from "../properties";
import { fileSystemId } from "./host";

const serverKey = "containarium-server";

/** Where the machine sees the golden image of this host. */
export const imagesDirectory = "/var/lib/containarium-images";

/**
 * The metadata that a machine gets. The one difference to what the program said: a kernel without ZFS stores on btrfs,
 * which knows its disk by the file system's UUID; and the golden image comes from this host, that has no image server.
 */
export function servedMetadata(vm: Thing): Record<string, string> {
  const metadata = (vm.inputs.metadata ?? {}) as Record<string, string>;
  const server = metadata[serverKey];
  if (server === undefined) return metadata;
  const changed = {
    ...(JSON.parse(server) as object),
    storage: "btrfs",
    dataDiskId: fileSystemId(dataDiskOf(vm) ?? ""),
    imageVersion: localImages().golden.version,
    imageSource: `file:${imagesDirectory}/golden.tar.zst`,
  };
  return { ...metadata, [serverKey]: JSON.stringify(changed) };
}

/** Name of the one attached disk. */
export function dataDiskOf(vm: Thing): string | undefined {
  const [source] = valuesAt(vm.inputs, "attachedDisks[].source");
  return typeof source === "string" ? source.split("/").at(-1) : undefined;
}

/**
 * The program knows its servers' values by their checksum, and so does the machine: of what it was served. Whatever goes
 * between them with one of the two gets the other.
 */
export function forMachine(text: string, vm: Thing): string {
  return text.replaceAll(checksum(said(vm)), checksum(servedMetadata(vm)[serverKey]));
}

export function forProgram(text: string, vm: Thing): string {
  return text.replaceAll(checksum(servedMetadata(vm)[serverKey]), checksum(said(vm)));
}

function said(vm: Thing): string | undefined {
  return (vm.inputs.metadata as Record<string, string> | undefined)?.[serverKey];
}

function checksum(text = ""): string {
  return createHash("sha256").update(text).digest("hex");
}
