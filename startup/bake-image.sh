#!/bin/bash
# Bakes the golden image: what every new container is copied from. Does nothing when the wanted one is there; containers
# that were made from an older one stay as they are.
#
# Inputs:   /etc/containarium/server.json: image (its name), imageVersion (another one bakes anew), imageSource, one of
#             file:/path/rootfs.tar.zst   a root file system that golden-setup.sh has already been through
#             images:ubuntu/24.04         an image of a server that Incus knows; golden-setup.sh runs in a container of it
# Leaves:   the Incus image `containarium/<image>` with containarium.source, .version and .baked-at
set -euo pipefail

readonly here=/usr/local/lib/containarium
value() { python3 -c 'import json,sys; print(json.load(open("/etc/containarium/server.json"))[sys.argv[1]])' "$1"; }

image=$(value image)
source=$(value imageSource)
version=$(value imageVersion)
alias="containarium/$image"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

wait_for_address() {
  local deadline=$((SECONDS + 60))
  until incus list "$1" -f csv -c 4 | grep -q eth0; do
    [ $SECONDS -lt $deadline ] || { echo "$1 got no address within 60 s" >&2; exit 1; }
    sleep 0.3
  done
}

bake() {
  case "$source" in
    file:*)
      path=${source#file:}
      [ -s "$path" ] || { echo "image source $path is missing" >&2; exit 1; }
      mkdir "$work/templates"
      echo '{{ container.name }}' > "$work/templates/hostname.tpl"
      printf '127.0.0.1 localhost\n127.0.1.1 {{ container.name }}\n::1 localhost ip6-localhost\n' > "$work/templates/hosts.tpl"
      cat > "$work/metadata.yaml" <<EOF
architecture: $(uname -m)
creation_date: $(date +%s)
properties:
  description: containarium $image
  containarium.source: "$source"
  containarium.version: "$version"
  containarium.baked-at: "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
templates:
  /etc/hostname: {when: [create, copy, rename], template: hostname.tpl}
  /etc/hosts: {when: [create, copy, rename], template: hosts.tpl}
EOF
      tar -C "$work" -cf "$work/metadata.tar" metadata.yaml templates
      incus image import "$work/metadata.tar" "$path" --reuse --alias "$alias" >/dev/null
      ;;
    *)
      builder=containarium-bake
      incus delete -f "$builder" 2>/dev/null || true
      incus launch "$source" "$builder" -n incusbr0 -s default
      incus file push -p "$here/golden-packages" "$builder/usr/local/lib/containarium/golden-packages"
      incus file push --mode 0755 "$here/golden-setup.sh" "$builder/usr/local/lib/containarium/golden-setup.sh"
      wait_for_address "$builder"
      incus exec "$builder" -- /usr/local/lib/containarium/golden-setup.sh
      incus stop "$builder"
      incus publish "$builder" --reuse --alias "$alias" --compression none \
        "containarium.source=$source" "containarium.version=$version" "containarium.baked-at=$(date -u +%Y-%m-%dT%H:%M:%SZ)" >/dev/null
      incus delete -f "$builder"
      ;;
  esac
}

# The first copy of an image unpacks it: that is done now, so that no person waits for it.
warm() {
  local fingerprint
  fingerprint=$(incus query "/1.0/images/aliases/${alias//\//%2F}" | python3 -c 'import json,sys; print(json.load(sys.stdin)["target"])')
  ! incus query "/1.0/storage-pools/default/volumes/image/$fingerprint" >/dev/null 2>&1 || return 0
  incus delete -f containarium-warm-image 2>/dev/null || true
  incus init "$alias" containarium-warm-image -s default --no-profiles >/dev/null
  incus delete -f containarium-warm-image
}

# An image by that name, of the wanted version.
is_baked() { [ "$(incus image get-property "$alias" containarium.version 2>/dev/null)" = "$version" ]; }

is_baked || bake
warm
