import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { OperationError } from "../../ops/errors";
import { startupDirectory } from "../startup-files";
import { runOnHost } from "./host-command";

/**
 * The two root file systems of the local target, built from Debian's packages by mmdebstrap (no image server needed):
 * `machine`, a Debian 13 server with the packages that a startup on GCE would install, and `golden`, what people get.
 * Built once per content of the recipe and kept in a cache outside the checkout.
 */
export interface LocalImages {
  machine: LocalImage;
  golden: LocalImage;
}

export interface LocalImage {
  /** Changes when the recipe changes. */
  version: string;
  /** Path of the compressed root file system. */
  rootfs: string;
}

export interface ImageOptions {
  onProgress?: (line: string) => void;
}

type ImageName = keyof LocalImages;

const suite = "trixie";

/** Packages that make a container boot, and what the balancer is made of; golden- and server-packages come on top. */
const machineExtras = ["dbus", "haproxy", "ifupdown", "isc-dhcp-client", "libpam-systemd", "systemd-sysv"];

const interfaces = "auto lo\\niface lo inet loopback\\n\\nauto eth0\\niface eth0 inet dhcp\\n";

/** What has no meaning in a container, and what must not start before the data disk is there. */
const machineHooks = [
  `printf "${interfaces}" > $1/etc/network/interfaces`,
  "chroot $1 systemctl enable networking.service",
  "chroot $1 systemctl mask systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket " +
    "systemd-udev-trigger.service sys-kernel-debug.mount sys-kernel-tracing.mount " +
    "apt-daily.timer apt-daily-upgrade.timer fstrim.timer",
  "chroot $1 systemctl disable incus.service incus.socket incus-startup.service incus-user.socket " +
    "fail2ban.service haproxy.service lxcfs.service ssh.service || true",
  "rm -f $1/etc/ssh/ssh_host_* $1/etc/hostname $1/etc/resolv.conf",
  ": > $1/etc/machine-id",
];

function goldenHooks(startup: string): string[] {
  return [
    "mkdir -p $1/usr/local/lib/containarium",
    `copy-in ${startup}/golden-setup.sh ${startup}/golden-packages /usr/local/lib/containarium`,
    "chroot $1 /usr/local/lib/containarium/golden-setup.sh",
    "rm -f $1/etc/resolv.conf",
  ];
}

/** Where the images are, or will be. Does nothing. */
export function localImages(): LocalImages {
  return { machine: imageOf("machine"), golden: imageOf("golden") };
}

/**
 * Builds what is missing, both side by side (about a minute).
 * @throws OperationError with the last lines of the build's log.
 */
export async function ensureImages(options: ImageOptions = {}): Promise<LocalImages> {
  const images = localImages();
  const missing = (Object.keys(images) as ImageName[]).filter((name) => !existsSync(images[name].rootfs));
  await Promise.all(missing.map((name) => build(name, images[name], options)));
  return images;
}

async function build(name: ImageName, image: LocalImage, { onProgress }: ImageOptions): Promise<void> {
  const directory = path.dirname(image.rootfs);
  mkdirSync(directory, { recursive: true });
  const work = mkdtempSync(path.join(directory, ".build-"));
  const begin = Date.now();
  onProgress?.(`building the ${name} image from Debian's packages (about a minute, once)`);
  try {
    const tar = path.join(work, "rootfs.tar");
    await runOnHost(["mmdebstrap", ...mmdebstrapArguments(name), suite, tar]).catch((error: Error) => {
      throw new OperationError(`the ${name} image could not be built`, {
        cause: error,
        leftBehind: "nothing",
        remedy: `${error.message}\nAre Debian's packages reachable from this host?  Then run it again.`,
      });
    });
    await runOnHost(["zstd", "-q", "-3", "-T0", "--rm", tar, "-o", `${tar}.zst`]);
    renameSync(`${tar}.zst`, image.rootfs);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const megabytes = Math.round(statSync(image.rootfs).size / 1e6);
  onProgress?.(`built the ${name} image (${megabytes} MB, ${Math.round((Date.now() - begin) / 1000)} s)`);
}

function mmdebstrapArguments(name: ImageName): string[] {
  const startup = startupDirectory();
  const packages =
    name === "golden"
      ? packagesIn(path.join(startup, "golden-packages"))
      : [...packagesIn(path.join(startup, "server-packages")), ...machineExtras];
  const hooks = name === "golden" ? goldenHooks(startup) : machineHooks;
  return [
    "--variant=minbase",
    '--aptopt=APT::Install-Recommends "false"',
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    `--include=${packages.join(",")}`,
    ...hooks.map((hook) => `--customize-hook=${hook}`),
  ];
}

function packagesIn(file: string): string[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** A version of its own for every recipe: the arguments and the files that they name. */
function imageOf(name: ImageName): LocalImage {
  const startup = startupDirectory();
  const recipe = mmdebstrapArguments(name).map((argument) => argument.replaceAll(startup, "startup"));
  const files = name === "golden" ? ["golden-setup.sh", "golden-packages"].map((file) => path.join(startup, file)) : [];
  const hash = createHash("sha256").update(JSON.stringify([suite, recipe]));
  for (const file of files) hash.update(readFileSync(file));
  const version = hash.digest("hex").slice(0, 12);
  return { version, rootfs: path.join(cacheDirectory(), "images", version, `${name}.tar.zst`) };
}

/** Shared by every checkout of this user; `CONTAINARIUM_CACHE` overrides it. */
function cacheDirectory(): string {
  const { CONTAINARIUM_CACHE, XDG_CACHE_HOME } = process.env;
  return CONTAINARIUM_CACHE ?? path.join(XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), "containarium");
}
