#!/bin/bash
# Brings the data disk into place. The disk is the machine: whatever it holds is what this server is.
# Runs at every boot before Incus and sshd (containarium-disk.service), and again whenever bootstrap.sh runs.
#
# Inputs:   /etc/containarium/server.json: dataDisk (device), storage (btrfs | zfs)
# Leaves:   /srv/containarium mounted from the disk, with incus/ (bound to /var/lib/incus), pool/, ssh/, state/
# Refuses:  a disk that is neither provably blank nor ours: exit 1, byte for byte untouched. There is no fallback.
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
  local device=$1 type found
  if is_blank "$device"; then
    mkfs.btrfs -q -L "$label" "$device"
  fi
  type=$(blkid -p -o value -s TYPE "$device" || true)
  found=$(blkid -p -o value -s LABEL "$device" || true)
  [ "$type" = btrfs ] && [ "$found" = "$label" ] ||
    refuse "$device holds ${type:-unknown data}${found:+ labelled $found}, not our pool. It was not touched. Only if nothing on it is of value:  wipefs --all $device"
  mkdir -p "$root"
  mount -t btrfs -o noatime,compress=lzo,user_subvol_rm_allowed "$device" "$root"
}

# The disk may have been grown, while it was away or just now.
grow_btrfs() { btrfs filesystem resize max "$root" >/dev/null; }

prepare_zfs() { refuse "storage zfs is not supported by this version"; }

# One disk is one server. Loop devices and disk names can be mixed up; two servers on one disk would ruin it.
claim() {
  local owner
  owner=$(cat "$root/state/server" 2>/dev/null || true)
  if [ -z "$owner" ]; then
    value name > "$root/state/server.new"
    mv "$root/state/server.new" "$root/state/server"
  elif [ "$owner" != "$(value name)" ]; then
    umount "$root"
    refuse "it is the disk of $owner, not of $(value name). To make it this one's, empty the file state/server on it"
  fi
}

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
  claim
  "grow_$storage"
  bind_incus
}

main
