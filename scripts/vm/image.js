"use strict";

/**
 * The boot disk of the test VM: Debian 13 as it is on Compute Engine after its first boot's packages, with a ZFS module
 * that was compiled here (a VM without hardware acceleration would take an hour), built once per content of the recipe.
 */
const crypto = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const { asRoot, runAsRoot, thisHost } = require("../host/host");
const { cacheDirectory, packageRoot } = require("../paths");
const { mustRun } = require("../run");

/**
 * @typedef {object} VmImage
 * @property {string} disk raw file, to be laid under a copy-on-write overlay
 * @property {string} kernel
 * @property {string} initrd
 */

const suite = "trixie";
const diskSize = "10G";

/** What Google's image has, as far as it matters here, and what startup/ installs for storage zfs. */
const packages = [
  ...["dbus", "initramfs-tools", "libpam-systemd", "systemd-sysv", "udev", "e2fsprogs", "dkms"],
  ...["linux-image-cloud-amd64", "linux-headers-cloud-amd64", "zfs-dkms", "zfsutils-linux"],
];

const guestFiles = path.join(__dirname, "guest");

/** Before the kernel's packages: with them comes an initrd, which an emulated VM unpacks at every boot. */
const smallInitrd =
  'cd "$1" && mkdir -p etc/initramfs-tools/conf.d usr/share/initramfs-tools/modules.d &&' +
  " echo MODULES=list > etc/initramfs-tools/conf.d/vm &&" +
  " printf '%s\\n' virtio_pci virtio_blk ext4 > usr/share/initramfs-tools/modules.d/vm";

/** Nothing reads the module's debugging information, whose making takes half of the build. */
const withoutDebugging = "KCFLAGS=-g0";

const hooks = [
  // In a chroot the package's own script asks for the kernel that runs outside.
  'for kernel in "$1"/lib/modules/*; do chroot "$1" dkms autoinstall -k "${kernel##*/}"; done',
  'ls "$1"/lib/modules/*/updates/dkms/zfs.ko*',
  `tar -C ${guestFiles} --owner=root --group=root -cf - . | tar -C "$1" -xf -`,
  'mkdir -p "$1/var/lib/containarium-images"',
  'echo vm > "$1/etc/hostname"',
  // Google's image has no servers of ours; they are installed while their units are masked.
  'chroot "$1" systemctl disable incus.service incus.socket incus-startup.service incus-user.socket fail2ban.service lxcfs.service',
  'chroot "$1" systemctl enable systemd-networkd.service ssh.service google-startup-scripts.service first-boot.service',
  'chroot "$1" systemctl mask apt-daily.timer apt-daily-upgrade.timer fstrim.timer e2scrub_reap.service',
  'rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/hostid" "$1/etc/resolv.conf"',
  ': > "$1/etc/machine-id"',
];

/** @param {string} [root] */
function recipe(root = packageRoot()) {
  const server = fs
    .readFileSync(path.join(root, "startup", "server-packages"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  return [
    "--variant=minbase",
    "--components=main,contrib",
    '--aptopt=APT::Install-Recommends "false"',
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    // With it, each module that is compiled gets type information, also the 250 by which ZFS learns about the kernel.
    "--dpkgopt=path-exclude=/usr/src/linux-headers-*/vmlinux",
    `--essential-hook=${smallInitrd}`,
    `--include=${[...packages, ...server].join(",")}`,
    ...hooks.map((hook) => `--customize-hook=${hook}`),
  ];
}

/** Where the image is, or will be. @param {string} [root] @returns {VmImage & {directory: string}} */
function vmImage(root = packageRoot()) {
  const hash = crypto.createHash("sha256");
  hash.update(
    JSON.stringify([
      suite,
      diskSize,
      withoutDebugging,
      recipe(root).map((line) => line.replaceAll(guestFiles, "guest")),
    ]),
  );
  for (const entry of fs.readdirSync(guestFiles, { recursive: true, encoding: "utf8" }).sort()) {
    const file = path.join(guestFiles, entry);
    if (fs.statSync(file).isFile()) hash.update(entry).update(fs.readFileSync(file));
  }
  const directory = path.join(cacheDirectory(), "images", hash.digest("hex").slice(0, 12), "vm");
  const [disk, kernel, initrd] = ["disk.raw", "vmlinuz", "initrd.img"].map((name) => path.join(directory, name));
  return { directory, disk: disk ?? "", kernel: kernel ?? "", initrd: initrd ?? "" };
}

/**
 * Builds the image where it is missing (some minutes, most of it the compiler).
 * @param {{onProgress?: (line: string) => void}} [options]
 */
async function ensureVmImage({ onProgress } = {}) {
  const image = vmImage();
  if (fs.existsSync(image.directory)) return image;
  const host = thisHost();
  const parent = path.dirname(image.directory);
  fs.mkdirSync(parent, { recursive: true });
  const work = fs.mkdtempSync(path.join(parent, ".build-"));
  const logFile = path.join(parent, "build.log");
  const root = path.join(work, "root");
  const out = path.join(work, "vm");
  try {
    onProgress?.(`building the VM's boot disk (some minutes, once; log: ${logFile})`);
    fs.mkdirSync(out);
    const build = ["nice", "env", withoutDebugging, "mmdebstrap", "--format=directory", ...recipe(), suite, root];
    await runAsRoot(host, build, {
      logFile,
      failure: "the VM's boot disk could not be built",
      remedy: `Are Debian's packages reachable from this host?  All of the log: ${logFile}`,
    });
    const copy = [
      "sh",
      "-c",
      `cp ${root}/boot/vmlinuz-* ${out}/vmlinuz && cp ${root}/boot/initrd.img-* ${out}/initrd.img`,
    ];
    await runAsRoot(host, copy);
    await runAsRoot(host, ["mke2fs", "-q", "-t", "ext4", "-L", "boot-disk", "-d", root, `${out}/disk.raw`, diskSize]);
    await runAsRoot(host, ["chown", "-R", String(os.userInfo().uid), out]);
    // Somebody else may have built it meanwhile.
    if (!fs.existsSync(image.directory)) fs.renameSync(out, image.directory);
  } finally {
    await mustRun(host.run, asRoot(host, ["rm", "-rf", "--one-file-system", work]));
  }
  return image;
}

module.exports = { ensureVmImage, vmImage };

if (require.main === module) {
  const { runMain } = require("../setup-error");
  void runMain(async () => void (await ensureVmImage({ onProgress: (line) => process.stderr.write(`${line}\n`) })));
}
