#!/bin/bash
# Brings the data disk into place. The disk is the machine: whatever it holds is what this server is.
# Runs at every boot before Incus and sshd (containarium-disk.service), and again whenever bootstrap.sh runs.
#
# Inputs:   /etc/containarium/server.json: dataDisk (device), dataDiskId (UUID of the one disk that is this server's),
#           mayFormat (true only while the disk is new), storage (btrfs | zfs)
# Leaves:   /srv/containarium mounted from the disk, with incus/ (bound to /var/lib/incus), pool/, ssh/, state/
# Refuses:  any disk but that one, and a blank one that should not be blank: exit 1, byte for byte untouched. Disks get
#           mixed up (loop devices are dealt anew at every boot of a host); an empty server must never pass for a full one.
set -euo pipefail

readonly root=/srv/containarium
readonly label=containarium
readonly wait_seconds=120

value() { python3 -c 'import json,sys; print(json.load(open("/etc/containarium/server.json"))[sys.argv[1]])' "$1"; }
refuse() { echo "data disk refused: $*" >&2; exit 1; }

wait_for_device() {
  local deadline=$((SECONDS + wait_seconds))
  until [ -b "$1" ]; do
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

prepare_btrfs() {
  local device=$1 id type found
  id=$(value dataDiskId)
  if is_blank "$device"; then
    [ "$(value mayFormat)" = True ] ||
      refuse "$device is blank, but the disk of $(value name) has data. Attach the right one"
    mkfs.btrfs -q -L "$label" -U "$id" "$device"
  fi
  type=$(blkid -p -o value -s TYPE "$device" || true)
  found=$(blkid -p -o value -s UUID "$device" || true)
  [ "$type" = btrfs ] && [ "$found" = "$id" ] ||
    refuse "$device holds ${type:-unknown data} ${found:+with id $found}, not the disk of $(value name) ($id)." \
      "It was not touched. Only if nothing on it is of value:  blkdiscard --zeroout $device"
  mkdir -p "$root"
  mount -t btrfs -o noatime,compress=lzo,user_subvol_rm_allowed "$device" "$root"
}

# The disk may have been grown, while it was away or just now.
grow_btrfs() { btrfs filesystem resize max "$root" >/dev/null; }

prepare_zfs() { refuse "storage zfs is not supported by this version"; }

bind_incus() {
  mkdir -p /var/lib/incus
  mountpoint -q /var/lib/incus || mount --bind "$root/incus" /var/lib/incus
  mountpoint -q /var/lib/incus || refuse "/var/lib/incus is not a mount point"
}

main() {
  local device storage
  device=$(value dataDisk)
  storage=$(value storage)
  if ! mountpoint -q "$root"; then
    wait_for_device "$device"
    "prepare_$storage" "$device"
  fi
  install -d -m 0711 "$root/incus"
  install -d -m 0700 "$root/ssh" "$root/state"
  "grow_$storage"
  bind_incus
}

# On one line: the file may be replaced while it runs.
main; exit
