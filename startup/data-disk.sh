#!/bin/bash
# Brings the data disk into place. The disk is the machine: whatever it holds is what this server is.
# Runs at every boot before Incus and sshd (containarium-disk.service), and again whenever bootstrap.sh runs.
#
# Inputs:   /etc/containarium/server.json: dataDisk (device), dataDiskId (of the one disk that is this server's; btrfs: a
#           UUID), mayFormat (true only while the disk is new), storage (btrfs | zfs)
# Leaves:   /srv/containarium mounted from the disk, with incus/ (bound to /var/lib/incus), ssh/, state/;
#           /var/lib/containarium/data-disk-id on the boot disk: this server has had its disk, none is new from then on
# Refuses:  any disk but that one, and a blank one that should not be blank: exit 1, byte for byte untouched. Disks get
#           mixed up (loop devices are dealt anew at every boot of a host); an empty server must never pass for a full one.
set -euo pipefail

readonly prefix=${CONTAINARIUM_ROOT:-}
readonly root=$prefix/srv/containarium
readonly incus=$prefix/var/lib/incus
readonly mark=$prefix/var/lib/containarium/data-disk-id
readonly name=containarium
readonly wait_seconds=${CONTAINARIUM_PATIENCE:-120}

value() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$prefix/etc/containarium/server.json" "$1"; }
refuse() { echo "data disk refused: $*" >&2; exit 1; }

wait_for_device() {
  local deadline=$((SECONDS + wait_seconds))
  until blockdev --getsize64 "$1" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || refuse "$1 did not appear within $wait_seconds s"
    sleep 0.2
  done
}

# Blank: no signature that blkid knows, and nothing but zeros where file systems, pools and partition tables keep
# theirs (the first 64 MiB + 64 KiB hold btrfs' second superblock, the last 2 MiB hold ZFS' and GPT's copies).
is_blank() {
  local device=$1 size
  ! blkid -p "$device" >/dev/null 2>&1 || return 1
  size=$(blockdev --getsize64 "$device")
  [ "$size" -gt $((128 * 1024 * 1024)) ] || refuse "$device has only $size bytes"
  cmp -s -n $((64 * 1024 * 1024 + 65536)) "$device" /dev/zero || return 1
  cmp -s -n $((2 * 1024 * 1024)) -i $((size - 2 * 1024 * 1024)):0 "$device" /dev/zero
}

# Called for what is blank: may data begin here?
require_new() {
  [ "$(value mayFormat)" = True ] ||
    refuse "$1 is blank, but the disk of $(value name) has data. Attach the right one"
  [ ! -e "$mark" ] ||
    refuse "$1 is blank, but this server has had its data disk ($(cat "$mark")) before. Attach the right one." \
      "Only if its data is lost for good:  rm $mark"
}

refuse_foreign() {
  refuse "$1 holds $2, not the disk of $(value name) ($id)." \
    "It was not touched. Only if nothing on it is of value:  blkdiscard --zeroout $1"
}

prepare_btrfs() {
  local device=$1 type found
  if is_blank "$device"; then
    require_new "$device"
    mkfs.btrfs -q -L "$name" -U "$id" "$device"
  fi
  type=$(blkid -p -o value -s TYPE "$device" || true)
  found=$(blkid -p -o value -s UUID "$device" || true)
  [ "$type" = btrfs ] && [ "$found" = "$id" ] || refuse_foreign "$device" "${type:-unknown data} ${found:+with id $found}"
  mkdir -p "$root"
  mount -t btrfs -o noatime,compress=lzo,user_subvol_rm_allowed "$device" "$root"
}

# The disk may have been grown, while it was away or just now.
grow_btrfs() { btrfs filesystem resize max "$root" >/dev/null; }

# One pool on the whole disk. Its identity is a property of the pool, containarium:disk-id. Datasets: server is mounted
# here; containers is the pool that Incus makes its own.
prepare_zfs() {
  local device=$1
  require_zfs_module
  if is_blank "$device"; then
    require_new "$device"
    create_pool "$device"
  else
    import_pool "$device"
  fi
  if ! zfs list -H -o name "$name/server" >/dev/null 2>&1; then
    # Left by a first boot that was cut off.
    require_new "$device"
    # Room that containers cannot take from the server's own database.
    zfs create -o mountpoint=legacy -o refreservation=512M "$name/server"
  fi
  mkdir -p "$root"
  mount -t zfs "$name/server" "$root"
}

# On Debian the module is compiled for each kernel. After a reboot into another one that may not have happened yet.
require_zfs_module() {
  local kernel said
  ! modprobe zfs 2>/dev/null || return 0
  kernel=$(uname -r)
  echo "no ZFS module for the kernel $kernel yet: building it takes minutes"
  said=$({ dkms autoinstall -k "$kernel" && modprobe zfs; } 2>&1) ||
    refuse "the kernel $kernel has no ZFS module ($(tail -n 1 <<< "$said"))." \
      "bootstrap.sh installs what is missing; by hand:  apt-get install linux-headers-$kernel zfs-dkms"
}

# Readable by OpenZFS 2.2 (Ubuntu 24.04) and later. No cache file: nobody but this script imports the pool.
create_pool() {
  zpool create -o ashift=12 -o autoexpand=on -o cachefile=none -o compatibility=openzfs-2.2-linux \
    -O "$name:disk-id=$id" -O mountpoint=none -O compression=lz4 -O atime=off -O xattr=sa -O acltype=posixacl \
    "$name" "$1"
}

# Reads the label first, then the pool read-only: nothing is written before it is known whose it is. -f, because a new
# boot disk is another host to ZFS; never -F, which would give up the last transactions.
import_pool() {
  local device=$1 part=$1-part1 label found said
  ! zpool list -H -o name "$name" >/dev/null 2>&1 || { require_own_pool "$device"; return; }
  found=$(blkid -p -o value -s TYPE "$device" || true)
  [ "$(blkid -p -o value -s PTTYPE "$device" || true)" = gpt ] || refuse_foreign "$device" "${found:-unknown data}"
  udevadm settle --timeout=10 || true
  label=$(zdb -l "$part" 2>/dev/null) || refuse_foreign "$device" "a partition table without a pool"
  found=$(sed -nE "s/^ *name: '(.*)'$/\1/p" <<< "$label" | head -n 1)
  [ "$found" = "$name" ] || refuse_foreign "$device" "the pool ${found:-without a name}"
  said=$(zpool import -f -N -o readonly=on -o cachefile=none -d "$part" "$name" 2>&1) ||
    refuse "the pool on $device cannot be imported: $(paste -sd' ' <<< "$said"). It was not touched. See  zpool import -d $part"
  found=$(disk_id)
  zpool export "$name"
  [ "$found" = "$id" ] || refuse_foreign "$device" "the disk $found"
  zpool import -f -N -o cachefile=none -d "$part" "$name"
}

# Imported by an earlier run that was cut off, or by hand.
require_own_pool() {
  [ "$(disk_id)" = "$id" ] && zpool status -LP "$name" | grep -q "$(readlink -f "$1")" ||
    refuse "the pool $name ($(disk_id)) is imported, but not from $1, the disk of $(value name) ($id)"
}

disk_id() { zfs get -H -o value "$name:disk-id" "$name"; }

# Behind its partition ZFS leaves some 10 MiB free.
grow_zfs() {
  local device=$1 size used
  size=$(blockdev --getsize64 "$device")
  used=$(blockdev --getsize64 "$device-part1")
  [ $((size - used)) -lt $((64 * 1024 * 1024)) ] || zpool online -e "$name" "$device"
}

bind_incus() {
  mkdir -p "$incus"
  mountpoint -q "$incus" || mount --bind "$root/incus" "$incus"
  mountpoint -q "$incus" || refuse "$incus is not a mount point"
}

remember_disk() {
  [ "$(cat "$mark" 2>/dev/null)" != "$id" ] || return 0
  mkdir -p "${mark%/*}"
  echo "$id" > "$mark.new"
  sync "$mark.new"
  mv "$mark.new" "$mark"
}

main() {
  local device storage
  device=$(value dataDisk)
  storage=$(value storage)
  id=$(value dataDiskId)
  case "$storage" in btrfs | zfs) ;; *) refuse "there is no storage $storage" ;; esac
  if ! mountpoint -q "$root"; then
    wait_for_device "$device"
    "prepare_$storage" "$device"
  fi
  remember_disk
  install -d -m 0711 "$root/incus"
  install -d -m 0700 "$root/ssh" "$root/state"
  "grow_$storage" "$device"
  bind_incus
}

# On one line: the file may be replaced while it runs.
main; exit
