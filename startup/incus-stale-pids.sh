#!/bin/bash
# Before Incus starts: forgets process numbers of an earlier boot. Incus ends the dnsmasq that it finds in its files by
# number alone (6.0.4), and the files are on the data disk: after an end without warning the number may be anybody's, even
# that of Incus itself, which then is not up for ten minutes. A dnsmasq that lives (Incus alone was restarted) stays known.
set -euo pipefail
shopt -s nullglob

for file in "${CONTAINARIUM_ROOT:-}"/var/lib/incus/networks/*/dnsmasq.pid; do
  pid=$(sed -n 's/^pid: *//p' "$file")
  [ "$(cat "/proc/${pid:-none}/comm" 2>/dev/null)" = dnsmasq ] || rm -f "$file"
done
