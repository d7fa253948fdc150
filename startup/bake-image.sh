#!/bin/bash
# Bakes the golden image: what every new container is copied from. Containers that were made from an older one stay as
# they are.
#
#   bake-image.sh           does nothing when the image of the wanted version is there (startup)
#   bake-image.sh --fresh   bakes anew with the packages of today (containarium-host, for `containarium-ops image bake`)
#
# A new image has no name until a copy of it has answered as SSH; then the name moves to it in one step. So whoever kills
# this at any point leaves a whole image in use. The old one stays, nameless, for whoever is just copying it; the next run
# removes it, and whatever else was left.
#
# Inputs:   /etc/containarium/server.json: image (its name), imageVersion (another one bakes anew), imageSource, one of
#             file:/path/rootfs.tar.zst   a root file system that golden-setup.sh has already been through
#             images:ubuntu/24.04         an image of a server that Incus knows; golden-setup.sh runs in a container of it
# Leaves:   the Incus image `containarium/<image>` with containarium.source, .version and .baked-at
# Output:   `step: TITLE` for each step, and at the end `end: STATUS`
set -euo pipefail

readonly here=/usr/local/lib/containarium
readonly lock=/run/containarium/bake.lock
readonly builder=containarium-bake proof=containarium-proof
value() { python3 -c 'import json,sys; print(json.load(open("/etc/containarium/server.json"))[sys.argv[1]])' "$1"; }

image=$(value image)
source=$(value imageSource)
version=$(value imageVersion)
alias="containarium/$image"
mode=${1:-startup}
work=$(mktemp -d)
trap 'status=$?; rm -rf "$work"; echo "end: $status"; exit $status' EXIT

step() { echo "step: $1"; }

# Of a JSON document on stdin, by a Python expression over `it`.
pick() { python3 -c 'import json,sys; it = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }

alias_path() { echo "/1.0/images/aliases/${alias//\//%2F}"; }
target_of_alias() { incus query "$(alias_path)" 2>/dev/null | pick 'it["target"]' 2>/dev/null; }

# An image by that name, of the wanted version.
is_baked() { [ "$(incus image get-property "$alias" containarium.version 2>/dev/null)" = "$version" ]; }

wait_for_address() {
  local deadline=$((SECONDS + 60))
  until incus list "$1" -f csv -c 4 | grep -q eth0; do
    [ $SECONDS -lt $deadline ] || { echo "$1 got no address within 60 s" >&2; exit 1; }
    sleep 0.3
  done
}

# What a run that was killed has left: its containers, and images of ours without a name.
remove_leftovers() {
  local name fingerprint
  for name in "$builder" "$proof" containarium-warm-image; do incus delete -f "$name" 2>/dev/null || true; done
  incus query '/1.0/images?recursion=1' |
    pick '" ".join(i["fingerprint"] for i in it if "containarium.version" in i["properties"] and not i["aliases"])' |
    tr ' ' '\n' | while read -r fingerprint; do [ -z "$fingerprint" ] || incus image delete "$fingerprint"; done
}

import_rootfs() {
  path=${source#file:}
  [ -s "$path" ] || { echo "image source $path is missing" >&2; exit 1; }
  mkdir "$work/templates"
  echo '{{ container.name }}' > "$work/templates/hostname.tpl"
  printf '127.0.0.1 localhost\n127.0.1.1 {{ container.name }}\n::1 localhost ip6-localhost\n' > "$work/templates/hosts.tpl"
  cat > "$work/metadata.yaml" <<METADATA
architecture: $(uname -m)
creation_date: $(date +%s)
properties:
  description: containarium $image
  containarium.source: "$source"
  containarium.version: "$version"
  containarium.baked-at: "$(date -u -r "$path" +%Y-%m-%dT%H:%M:%SZ)"
templates:
  /etc/hostname: {when: [create, copy, rename], template: hostname.tpl}
  /etc/hosts: {when: [create, copy, rename], template: hosts.tpl}
METADATA
  tar -C "$work" -cf "$work/metadata.tar" metadata.yaml templates
  fingerprint=$(incus image import "$work/metadata.tar" "$path" | grep -oE '[0-9a-f]{64}')
}

# Where a container of today's packages begins: with a root file system, the present image, which was made from it.
base() {
  case "$source" in
    file:*) echo "$alias" ;;
    *) echo "$source" ;;
  esac
}

# apt's own waiting and retries: a mirror that stumbles once is no reason to begin again.
upgrade_packages() {
  incus exec "$builder" -- sh -c 'timeout 60 systemctl is-system-running --wait >/dev/null 2>&1 || true'
  incus exec "$builder" --env DEBIAN_FRONTEND=noninteractive -- apt-get -o Acquire::Retries=3 update -q
  incus exec "$builder" --env DEBIAN_FRONTEND=noninteractive -- \
    apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold full-upgrade -qy --no-install-recommends
  incus exec "$builder" --env DEBIAN_FRONTEND=noninteractive -- apt-get autoremove -qy --purge
}

build() {
  step "Starting a container to bake in"
  incus launch -q "$(base)" "$builder" -n incusbr0 -s default
  incus file push -q -p "$here/golden-packages" "$builder/usr/local/lib/containarium/golden-packages"
  incus file push -q -p --mode 0755 "$here/golden-setup.sh" "$builder/usr/local/lib/containarium/golden-setup.sh"
  wait_for_address "$builder"
  step "Installing the packages of today"
  upgrade_packages
  incus exec "$builder" -- /usr/local/lib/containarium/golden-setup.sh
  step "Keeping it as an image"
  incus stop "$builder" --timeout 60 || incus stop -f "$builder"
  fingerprint=$(incus publish "$builder" --compression none \
    "description=containarium $image" "containarium.source=$source" "containarium.version=$version" "containarium.baked-at=$(date -u +%Y-%m-%dT%H:%M:%SZ)" |
    grep -oE '[0-9a-f]{64}')
  incus delete -f "$builder"
}

# A copy of it, made a person's as `create` does, has to greet as SSH.
prove() {
  step "Trying a copy of it"
  incus init -q "$fingerprint" "$proof" -n incusbr0 -s default
  echo '{"user":"proof","docker":false}' > "$work/user.json"
  incus file push -q -p "$work/user.json" "$proof/etc/containarium/user.json"
  incus start "$proof"
  wait_for_address "$proof"
  local address
  address=$(incus query "/1.0/instances/$proof/state" |
    pick 'next(a["address"] for a in it["network"]["eth0"]["addresses"] if a["family"] == "inet")')
  python3 - "$address" <<'PROBE' || { echo "a copy of the new image does not answer as SSH; the old one stays" >&2; exit 1; }
import socket, sys, time
deadline = time.monotonic() + 90
while time.monotonic() < deadline:
    try:
        with socket.create_connection((sys.argv[1], 22), timeout=5) as line:
            if line.recv(64).startswith(b"SSH-2.0-"):
                sys.exit(0)
    except OSError:
        pass
    time.sleep(0.3)
sys.exit(1)
PROBE
  incus delete -f "$proof"
}

# One request, one transaction of Incus' database: a create at any moment finds the old image or the new one.
name_it() {
  local old
  old=$(target_of_alias || true)
  if [ -z "$old" ]; then
    incus image alias create "$alias" "$fingerprint"
  elif [ "$old" != "$fingerprint" ]; then
    incus query -X PUT -d "{\"target\":\"$fingerprint\",\"description\":\"\"}" "$(alias_path)"
  fi
}

# The first copy of an image unpacks it: that is done now, so that no person waits for it.
warm() {
  local fingerprint
  fingerprint=$(target_of_alias)
  ! incus query "/1.0/storage-pools/default/volumes/image/$fingerprint" >/dev/null 2>&1 || return 0
  incus delete -f containarium-warm-image 2>/dev/null || true
  incus init "$alias" containarium-warm-image -s default --no-profiles >/dev/null
  incus delete -f containarium-warm-image
}

bake() {
  case "$source:$1" in
    file:*:startup) import_rootfs ;;
    *)
      build
      prove
      ;;
  esac
  step "Giving it the name $image"
  name_it
}

main() {
  # One at a time: startup and an administrator may meet, and would bake in the same container.
  exec 8> "$lock"
  flock -n 8 || step "Waiting for another bake"
  flock -w 1800 8 || { echo "another run has held $lock for 30 minutes" >&2; exit 1; }
  remove_leftovers
  # Not `is_baked || bake`: there, the shell would go on after errors.
  if [ "$mode" = --fresh ] || ! is_baked; then bake "$mode"; fi
  warm
}

# On one line: the file may be replaced while it runs.
main; exit
