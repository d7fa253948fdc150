import { createHash, createPrivateKey, createPublicKey } from "node:crypto";

import { metadataKey } from "../../../components/startup-script";
import type { PretendedProject, Thing } from "./project";
import { valuesAt } from "./properties";

/**
 * What the system inside a pretended VM says of itself once it has booted; see `announce` in startup/gce/boot.sh. It
 * says nothing without a boot script, and nothing when the test wants it silent.
 */
export function announcements(vm: Thing, project: PretendedProject): Record<string, string> {
  const { boots = true, hostKey } = project.behaviourOf(String(vm.inputs.name));
  const metadata = (vm.inputs.metadata ?? {}) as Record<string, string>;
  const server = metadata["containarium-server"];
  if (!boots || server === undefined || metadata[metadataKey("bootstrap.sh")] === undefined) return {};
  return {
    "containarium/host-key": hostKey ?? hostKeyOf(vm, project),
    "containarium/ready": createHash("sha256").update(server).digest("hex"),
  };
}

/** The identity of a server lives on its data disk: a new VM around an old disk has the old host key. */
function hostKeyOf(vm: Thing, project: PretendedProject): string {
  const [source] = valuesAt(vm.inputs, "attachedDisks[].source");
  const disk = project.all("Disk").find(({ id }) => typeof source === "string" && source.endsWith(id));
  return hostKeyFrom(String(disk?.outputs.diskId ?? vm.outputs.instanceId));
}

/** A true public key, the same for the same seed. */
export function hostKeyFrom(seed: string): string {
  const secret = createHash("sha256").update(seed).digest();
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), secret]);
  const key = createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }));
  const raw = key.export({ format: "der", type: "spki" }).subarray(-32);
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  return `ssh-ed25519 ${Buffer.concat([field(Buffer.from("ssh-ed25519")), field(raw)]).toString("base64")}`;
}
