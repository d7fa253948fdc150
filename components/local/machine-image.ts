import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { runOnHost } from "./host-command";
import { incus, queryIncus } from "./host-incus";
import { ensureImages } from "./images";

const aliasPrefix = "containarium/machine/";

/** Name of the machine image of one version in this host's Incus. */
export function machineImageAlias(version: string): string {
  return `${aliasPrefix}${version}`;
}

const imports = new Map<string, Promise<void>>();

/** Brings the machine image into this host's Incus, once: several machines may ask at the same time. */
export function ensureMachineImage(version: string): Promise<void> {
  const running = imports.get(version) ?? importImage(version).finally(() => imports.delete(version));
  imports.set(version, running);
  return running;
}

/** Removes the pool's copies of machine images, which would keep it in use; and, with `all`, the images themselves. */
export async function removeMachineImages(pool: string, all: boolean): Promise<void> {
  const images =
    (await queryIncus<{ fingerprint: string; aliases: { name: string }[] }[]>("/1.0/images?recursion=1")) ?? [];
  for (const { fingerprint, aliases } of images) {
    if (!aliases.some(({ name }) => name.startsWith(aliasPrefix))) continue;
    const copy = await queryIncus(`/1.0/storage-pools/${pool}/volumes/image/${fingerprint}`);
    if (copy !== undefined) await incus("storage", "volume", "delete", pool, `image/${fingerprint}`);
    if (all) await incus("image", "delete", fingerprint);
  }
}

async function importImage(version: string): Promise<void> {
  if ((await queryIncus(`/1.0/images/aliases/${encodeURIComponent(machineImageAlias(version))}`)) !== undefined) return;
  const { machine } = await ensureImages();
  const work = mkdtempSync(path.join(os.tmpdir(), "containarium-image-"));
  try {
    writeImageMetadata(work);
    await runOnHost(["tar", "-C", work, "-cf", path.join(work, "metadata.tar"), "metadata.yaml", "templates"]);
    await incus(
      "image",
      "import",
      path.join(work, "metadata.tar"),
      machine.rootfs,
      "--alias",
      machineImageAlias(version),
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Incus writes a new machine's name into these files when it makes it. */
function writeImageMetadata(directory: string): void {
  const when = "{when: [create, copy, rename], template: NAME.tpl}";
  writeFileSync(
    path.join(directory, "metadata.yaml"),
    [
      `architecture: ${os.machine()}`,
      `creation_date: ${Math.floor(Date.now() / 1000)}`,
      "properties: {description: containarium machine}",
      "templates:",
      `  /etc/hostname: ${when.replace("NAME", "hostname")}`,
      `  /etc/hosts: ${when.replace("NAME", "hosts")}`,
      "",
    ].join("\n"),
  );
  const templates = path.join(directory, "templates");
  mkdirSync(templates);
  writeFileSync(path.join(templates, "hostname.tpl"), "{{ container.name }}\n");
  writeFileSync(path.join(templates, "hosts.tpl"), "127.0.0.1 localhost\n127.0.1.1 {{ container.name }}\n");
}
