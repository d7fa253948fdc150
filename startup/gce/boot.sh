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
put() {
  python3 - "$server/computeMetadata/v1/instance/guest-attributes/$1" "$2" <<'PYTHON'
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {"Metadata-Flavor": "Google"}, method="PUT")
urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).read()
PYTHON
}

# All in one process: to start one for each file costs a small server seconds at every boot.
fetch_all() {
  mkdir "$work/files"
  python3 - "$server/computeMetadata/v1/instance/attributes/" "$work" "$patience" <<'PYTHON'
import hashlib, http.client, os, sys, time, urllib.request
attributes, work, patience = sys.argv[1], sys.argv[2], float(sys.argv[3])
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

def fetch(key, name):
    deadline = time.monotonic() + patience
    while True:
        try:
            request = urllib.request.Request(attributes + key, headers={"Metadata-Flavor": "Google"})
            content = opener.open(request, timeout=10).read()
            break
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() >= deadline:
                sys.exit(f"cannot fetch {key}: {error}")
            time.sleep(1)
    with open(f"{work}/{name}", "wb") as file:
        file.write(content)
    return content

files = fetch("containarium-files", "list").decode().splitlines()
fetch("containarium-server", "server.json")
for key, mode, checksum, name in (line.split() for line in files):
    if hashlib.sha256(fetch(key, f"files/{name}")).hexdigest() != checksum:
        sys.exit(f"{name}: wrong checksum")
    os.chmod(f"{work}/files/{name}", int(mode, 8))
PYTHON
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
  put containarium/host-key "$key"
  put containarium/ready "$(sha256sum < "$config/server.json" | cut -d' ' -f1)"
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
