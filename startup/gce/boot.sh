#!/bin/bash
# What a server on Google Compute Engine runs at every boot (metadata key `startup-script`): fetches the startup files
# from the metadata server and runs them. Short on purpose; all that makes a jump server is in bootstrap.sh.
#
# Inputs:   instance metadata: containarium-files (key, mode, sha256 and name of each file), one key per file,
#           containarium-server (what the server is told about itself)
# Leaves:   /usr/local/lib/containarium, /etc/containarium/server.json, Google's agent kept off accounts and host keys;
#           guest attributes containarium/host-key and containarium/ready when all of it works
# Refuses:  a file whose checksum is wrong: what was there stays. When the metadata server is silent, a server that has
#           booted before runs what it has.
set -euo pipefail

readonly prefix=${CONTAINARIUM_ROOT:-}
readonly server=${CONTAINARIUM_METADATA:-http://metadata.google.internal}
readonly patience=${CONTAINARIUM_PATIENCE:-120}
readonly library=$prefix/usr/local/lib/containarium
readonly config=$prefix/etc/containarium

# Python: it is in every image of Debian and Ubuntu that Google offers; curl is not promised.
request() {
  python3 - "$server/computeMetadata/v1/instance/$1" "${@:2}" <<'PYTHON'
import sys, urllib.request
body = sys.argv[2].encode() if len(sys.argv) > 2 else None
request = urllib.request.Request(sys.argv[1], body, {"Metadata-Flavor": "Google"}, method="PUT" if body else "GET")
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
sys.stdout.buffer.write(opener.open(request, timeout=10).read())
PYTHON
}

fetch() {
  local deadline=$((SECONDS + patience))
  until request "attributes/$1" > "$2" 2> "$work/error"; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "cannot fetch $1: $(tail -n 1 "$work/error")" >&2; return 1; }
    sleep 1
  done
}

fetch_all() {
  local key mode sum name
  fetch containarium-files "$work/list" || return 1
  fetch containarium-server "$work/server.json" || return 1
  mkdir "$work/files"
  while read -r key mode sum name; do
    fetch "$key" "$work/files/$name" || return 1
    echo "$sum  $work/files/$name" | sha256sum --check --status || { echo "$name: wrong checksum" >&2; return 1; }
    chmod "$mode" "$work/files/$name"
  done < "$work/list"
}

# Everything is here and whole: only now is anything put in place, each file at once.
install_all() {
  local name
  mkdir -p "$library" "$config"
  while read -r _ _ _ name; do
    cp -p "$work/files/$name" "$library/.new"
    mv "$library/.new" "$library/$name"
  done < "$work/list"
  for name in "$library"/*; do
    [ -e "$work/files/${name##*/}" ] || rm -f "$name"
  done
  cp "$work/server.json" "$config/server.json.new"
  mv "$config/server.json.new" "$config/server.json"
}

# The agent would give sudo to an account whose name it finds in metadata, take /etc/passwd's lock, and make new host
# keys whenever the instance is another one. Accounts and host keys are ours.
restrain_agent() {
  local wanted file=$prefix/etc/default/instance_configs.cfg
  wanted=$'[Daemons]\naccounts_daemon = false\n\n[InstanceSetup]\nset_host_keys = false'
  [ "$(cat "$file" 2>/dev/null)" != "$wanted" ] || return 0
  mkdir -p "${file%/*}"
  echo "$wanted" > "$file.new"
  mv "$file.new" "$file"
  systemctl try-restart google-guest-agent.service google-guest-agent-manager.service || true
}

announce() {
  local key
  key=$(cut -d' ' -f1,2 "$prefix/etc/ssh/ssh_host_ed25519_key.pub")
  request guest-attributes/containarium/host-key "$key"
  request guest-attributes/containarium/ready "$(sha256sum < "$config/server.json" | cut -d' ' -f1)"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if fetch_all; then
  install_all
elif [ ! -x "$library/bootstrap.sh" ] || [ ! -s "$config/server.json" ]; then
  echo "FAILED: no startup files, neither from the metadata server nor from an earlier boot" >&2
  exit 1
else
  echo "going on with the files of the last boot" >&2
fi
restrain_agent
"$library/bootstrap.sh"
announce
