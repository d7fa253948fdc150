#!/bin/bash
# Gives the running kernel its ZFS module. Ubuntu's kernels bring it; on Debian it is compiled here, minutes for each new
# kernel. Called by bootstrap.sh where the storage is zfs; does nothing when the module is there.
#
# Leaves:   zfsutils-linux; on Debian zfs-dkms (from contrib), and kernel and headers that are kept at the same version;
#           the module loaded; /var/lib/containarium/rebooted-for-zfs while a reboot for it is under way
# Reboots:  once, where the running kernel has no headers to compile for: those of older kernels vanish from the archive,
#           so that an image of last month may find none. Kernel and headers are then installed together.
# Refuses:  a second reboot in a row: exit 1, with what the compiler or the kernel said.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

readonly prefix=${CONTAINARIUM_ROOT:-}
readonly marker=$prefix/var/lib/containarium/rebooted-for-zfs
readonly sources=$prefix/etc/apt/sources.list.d
kernel=$(uname -r)
readonly kernel

is_debian() { grep -qx 'ID=debian' "$prefix/etc/os-release"; }
module_loads() { modprobe zfs 2>/dev/null; }

# 6.12.95+deb13-cloud-amd64, 6.1.0-56-cloud-amd64: the packages that follow the newest kernel of that kind.
wanted_packages() {
  local kind
  kind=$(sed -E 's/^[^-]+-([0-9]+-)?//' <<< "$kernel")
  echo zfsutils-linux
  ! is_debian || printf '%s\n' zfs-dkms "linux-image-$kind" "linux-headers-$kind"
}

packages_are_there() {
  local package
  while read -r package; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || return 1
  done < <(wanted_packages)
}

# A file of our own that says of contrib what Debian's own file says of main: same mirror, suites and keys.
add_contrib() {
  if [ -e "$sources/debian.sources" ]; then
    sed -E 's/^Components:.*/Components: contrib/' "$sources/debian.sources" > "$sources/containarium-contrib.sources.new"
    mv "$sources/containarium-contrib.sources.new" "$sources/containarium-contrib.sources"
  else
    sed -nE 's/^(deb +(\[[^]]*\] +)?[^ ]+ +[^ ]+) .*/\1 contrib/p' "$prefix/etc/apt/sources.list" > "$sources/containarium-contrib.list.new"
    mv "$sources/containarium-contrib.list.new" "$sources/containarium-contrib.list"
  fi
}

# Those that are there come to the newest version, kernel and headers alike: the one exception from "nothing is upgraded".
install_newest() {
  local packages
  mapfile -t packages < <(wanted_packages)
  # A power cut in the middle of the last try must not be the end of all later ones.
  dpkg --configure -a
  ! is_debian || add_contrib
  apt-get update -q
  apt-get -o DPkg::Lock::Timeout=300 install -qy --no-install-recommends "${packages[@]}"
}

# After a reboot into another kernel, or after a power cut while it was compiled.
compile() {
  command -v dkms >/dev/null || return 0
  dkms autoinstall -k "$kernel" || true
}

reboot_once() {
  if [ -e "$marker" ]; then
    echo "the kernel $kernel has no ZFS module, also after a reboot: $(modprobe zfs 2>&1 || true)" >&2
    echo "What the compiler said:  cat /var/lib/dkms/zfs/*/build/make.log.  Then:  rm $marker, and this again" >&2
    exit 1
  fi
  mkdir -p "${marker%/*}"
  echo "$kernel" > "$marker"
  sync "$marker"
  echo "the kernel $kernel has no ZFS module and no headers to compile it for: rebooting once into the newest kernel" >&2
  systemctl reboot
  # Whoever called goes no further.
  exit 1
}

main() {
  packages_are_there || install_newest
  module_loads || compile
  module_loads || install_newest
  module_loads || reboot_once
  rm -f "$marker"
}

# On one line: the file may be replaced while it runs.
main; exit
