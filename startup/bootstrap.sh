#!/bin/bash
# Makes this machine a jump server, or finds that it is one already. Runs at every boot, after an upgrade of these
# files, and by hand; every step is idempotent, nothing is appended, nothing is upgraded.
#
# Inputs:   /etc/containarium/server.json (who am I, which disk, whose keys), the files beside this one
# Leaves:   packages, kernel limits, admin account, data disk, host keys, sshd, nftables, Incus with the golden image,
#           jump accounts as Incus and the other servers know them, fail2ban, the fleet's service, an end in order; and
#           /run/containarium/ready when all of it works
# Output:   one line per step: what, seconds
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

readonly here=/usr/local/lib/containarium
readonly root=/srv/containarium
readonly run=/run/containarium

value() {
  python3 -c '
import json, sys
value = json.load(open("/etc/containarium/server.json"))
for key in sys.argv[1].split("."):
    value = value[key]
print("\n".join(value) if isinstance(value, list) else value)' "$1"
}
has() { python3 -c 'import json, sys; sys.exit(sys.argv[1] not in json.load(open("/etc/containarium/server.json")))' "$1"; }

# `systemctl enable` takes 0.3 s even when there is nothing to do.
enable() {
  local unit
  for unit in "$@"; do
    systemctl is-enabled -q "$unit" 2>/dev/null || systemctl enable -q "$unit"
  done
}

# Before the packages: Incus and its socket need the disk; without it they would come up silently empty on the boot disk.
install_units() {
  install -m 0644 "$here/containarium-disk.service" /etc/systemd/system/containarium-disk.service
  install -m 0644 "$here/containarium-firewall.service" /etc/systemd/system/containarium-firewall.service
  install -m 0644 "$here/containarium-fleet.service" /etc/systemd/system/containarium-fleet.service
  local unit
  for unit in incus.service incus.socket; do
    mkdir -p "/etc/systemd/system/$unit.d"
    install -m 0644 "$here/incus-needs-disk.conf" "/etc/systemd/system/$unit.d/10-containarium.conf"
  done
  install -m 0644 "$here/incus-needs-firewall.conf" /etc/systemd/system/incus.service.d/12-containarium-firewall.conf
  install -m 0644 "$here/incus-stale-pids.conf" /etc/systemd/system/incus.service.d/15-containarium-pids.conf
  install_limits_of_the_end
  systemctl daemon-reload
  enable containarium-disk.service containarium-firewall.service
}

# What makes a shutdown fit its time: docs/shutdown.md.
install_limits_of_the_end() {
  local unit system=/etc/systemd/system
  install -m 0644 "$here/containarium-drain.service" "$here/containarium-notice.service" "$system"
  for unit in incus.service incus-startup.service lxcfs.service; do
    install -D -m 0644 "$here/stop-limit.conf" "$system/$unit.d/20-containarium-stop.conf"
  done
  install -D -m 0644 "$here/session-scope.conf" "$system/session-.scope.d/10-containarium.conf"
  install -D -m 0644 "$here/system-stop.conf" /etc/systemd/system.conf.d/10-containarium.conf
}

missing_packages() {
  local wanted
  mapfile -t wanted < <(grep -v '^#' "$here/server-packages")
  # It fails where it does not know one of them, and tells of the others.
  { dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null || true; } |
    sed -n 's/^installed //p' | grep -vxFf - <(printf '%s\n' "${wanted[@]}") || true
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || return 0
  # A power cut in the middle of the last try must not be the end of all later ones.
  dpkg --configure -a
  # Incus must not start on the boot disk: its database belongs on the data disk.
  systemctl mask --runtime incus.service incus.socket incus-startup.service
  apt-get update -q
  # Unattended upgrades begin at boot, too.
  apt-get -o DPkg::Lock::Timeout=300 install -qy --no-install-recommends "${missing[@]}"
  systemctl unmask --runtime incus.service incus.socket incus-startup.service
}

ensure_zfs_module() {
  [ "$(value storage)" = zfs ] || return 0
  "$here/zfs-module.sh"
}

# Incus filters IPv6 by this module and leaves loading it to the administrator. A machine that is a container has its
# host's kernel: there, quickstart has loaded it.
load_kernel_modules() {
  local module=br_netfilter switch=/proc/sys/net/bridge/bridge-nf-call-ip6tables
  if [ "$(systemd-detect-virt --container || true)" = none ]; then
    printf '%s\n' "$module" > /etc/modules-load.d/containarium.conf
    modprobe "$module" || true
  fi
  [ -e "$switch" ] ||
    { echo "this kernel has not loaded $module; on the machine's host:  modprobe $module" >&2; return 1; }
  # Each network namespace has its own switches.
  [ "$(cat "$switch")" = 1 ] || echo 1 > "$switch"
}

# Stock values end at about ten containers (inotify) or a few dozen (keys): each is a wall that somebody ran into.
raise_kernel_limits() {
  if [ "$(systemd-detect-virt --container || true)" != none ]; then
    # A system container: /proc/sys is the host's. `bind` keeps the remount to this mount alone.
    mount -o remount,bind,rw /proc/sys 2>/dev/null || true
  fi
  local name wanted current
  while read -r name wanted; do
    current=$(sysctl -n "$name" 2>/dev/null || echo "")
    [ -n "$current" ] && [ "$current" -lt "$wanted" ] || continue
    sysctl -q -w "$name=$wanted" || echo "  kernel limit $name stays at $current (wanted $wanted)"
  done < <(grep -v '^#' "$here/kernel-limits")
}

ensure_admin() {
  local user home
  user=$(value admin.user)
  id -u "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --user-group "$user"
  usermod -p '*' "$user"
  home=$(getent passwd "$user" | cut -d: -f6)
  printf '%s ALL=(ALL:ALL) NOPASSWD:ALL\n' "$user" > /etc/sudoers.d/containarium-admin.new
  chmod 0440 /etc/sudoers.d/containarium-admin.new
  mv /etc/sudoers.d/containarium-admin.new /etc/sudoers.d/containarium-admin
  install -d -m 0700 -o "$user" -g "$user" "$home/.ssh"
  value admin.authorizedKeys > "$home/.ssh/authorized_keys.new"
  chown "$user:$user" "$home/.ssh/authorized_keys.new"
  chmod 0600 "$home/.ssh/authorized_keys.new"
  mv "$home/.ssh/authorized_keys.new" "$home/.ssh/authorized_keys"
}

ensure_data_disk() {
  # Not `restart`: Incus requires this unit and would be stopped with it.
  systemctl start containarium-disk.service ||
    { journalctl -u containarium-disk.service -n 5 --no-pager -o cat; return 1; }
  "$here/data-disk.sh"
}

# The server's identity lives on the data disk; sshd reads a copy, so that it still starts when the disk is gone.
ensure_host_keys() {
  local key=ssh_host_ed25519_key
  [ -s "$root/ssh/$key" ] || {
    rm -f "$root/ssh/$key.new" "$root/ssh/$key.new.pub"
    ssh-keygen -q -t ed25519 -N "" -C "$(value name)" -f "$root/ssh/$key.new"
    mv "$root/ssh/$key.new.pub" "$root/ssh/$key.pub"
    mv "$root/ssh/$key.new" "$root/ssh/$key"
  }
  install -m 0600 "$root/ssh/$key" "/etc/ssh/$key"
  ssh-keygen -y -f "$root/ssh/$key" > "/etc/ssh/$key.pub"
  rm -f /etc/ssh/ssh_host_rsa_key* /etc/ssh/ssh_host_ecdsa_key*
}

install_host_helper() {
  # A connected jump account needs no service manager of its own (15 MB and 40 ms per login).
  install -D -m 0644 "$here/user-manager.conf" /etc/systemd/system/user@.service.d/10-containarium.conf
  systemctl daemon-reload
  getent group containarium-jump >/dev/null || groupadd --system containarium-jump
  install -m 0755 "$here/containarium-host" /usr/local/sbin/containarium-host
  install -m 0755 "$here/containarium-fleet" /usr/local/sbin/containarium-fleet
  install -m 0755 "$here/containarium-drain" /usr/local/sbin/containarium-drain
}

ensure_sshd() {
  mkdir -p /run/sshd
  install_sshd_drop_in "$here/sshd-containarium.conf" 10-containarium.conf
  # Older than OpenSSH 9.8: no penalties there, and none needed. Whom fail2ban leaves alone pays none either: everybody
  # may come from a balancer's one address.
  local exempt
  exempt=$(value neverBan | sed -n 's/^./,&/p' | tr -d '\n')
  sed "s|^PerSourcePenaltyExemptList .*|&$exempt|" "$here/sshd-penalties.conf" > "$run/penalties.conf"
  install_sshd_drop_in "$run/penalties.conf" 11-containarium-penalties.conf 2>/dev/null ||
    install_sshd_drop_in "$here/sshd-penalties.conf" 11-containarium-penalties.conf 2>/dev/null || true
  enable ssh.service
  systemctl reload-or-restart ssh.service
}

# An invalid drop-in bricks SSH at the next boot: each is tried in front of the main file before it is put in place.
install_sshd_drop_in() {
  local trial valid=0
  trial=$(mktemp /run/sshd-trial.XXXXXX)
  cat "$1" /etc/ssh/sshd_config > "$trial"
  sshd -t -f "$trial" || valid=1
  rm -f "$trial"
  [ $valid -eq 0 ] || return 1
  install -m 0644 "$1" "/etc/ssh/sshd_config.d/$2"
}

ensure_firewall() {
  install -d -m 0755 /etc/containarium/nftables.d
  write_fleet_addresses
  nft -c -f "$here/nftables-containarium.conf"
  install -m 0644 "$here/nftables-containarium.conf" /etc/nftables-containarium.conf
  nft -f /etc/nftables-containarium.conf
}

# The servers are .11 to .250 of the fleet's subnet (or as much after its first address, when it is larger).
write_fleet_addresses() {
  has fleetSubnet || { rm -f /etc/containarium/nftables.d/fleet.nft; return 0; }
  python3 -c '
import ipaddress, sys
subnet = ipaddress.IPv4Network(sys.argv[1])
first, last = subnet.network_address + 11, subnet.network_address + 250
print("# Written by bootstrap.sh from fleetSubnet.")
print(f"add element inet containarium fleet {{ {first}-{last} }}")
print(f"add element inet containarium health_checks {{ {subnet} }}")' "$(value fleetSubnet)" > /etc/containarium/nftables.d/fleet.nft.new
  mv /etc/containarium/nftables.d/fleet.nft.new /etc/containarium/nftables.d/fleet.nft
}

# systemd in a container on a host with split cgroup v1 leaves cpu and cpuacct as one joint folder (or dangling links)
# on a read-only mount; Incus' containers need each controller at its own place.
mend_cgroup_v1() {
  [ -d /sys/fs/cgroup/memory ] && [ ! -f /sys/fs/cgroup/cgroup.controllers ] || return 0
  local controller
  mount -o remount,rw /sys/fs/cgroup
  for controller in cpu cpuacct; do
    grep -qE "^$controller\s" /proc/cgroups || continue
    mountpoint -q "/sys/fs/cgroup/$controller" && [ ! -L "/sys/fs/cgroup/$controller" ] && continue
    rm -f "/sys/fs/cgroup/$controller"
    mkdir -p "/sys/fs/cgroup/$controller"
    mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller"
  done
}

ensure_incus() {
  mend_cgroup_v1
  enable incus.socket incus-startup.service lxcfs.service
  # Debian's incus.service has nothing that wants it, and its socket alone does not start it after an unclean stop.
  [ -L /etc/systemd/system/multi-user.target.wants/incus.service ] || systemctl -q add-wants multi-user.target incus.service
  # incus-startup is what stops the containers in order when the server goes down.
  systemctl start lxcfs.service incus.socket incus.service incus-startup.service
  incus admin waitready --timeout 120
  local subnet gateway mtu
  subnet=$(value containerSubnet)
  gateway=${subnet%.*}.1
  mtu=$(cat "/sys/class/net/$(ip route show default | awk '{ for (i = 1; i < NF; i++) if ($i == "dev") { print $(i + 1); exit } }')/mtu")
  ensure_pool
  if ! incus network show incusbr0 >/dev/null 2>&1; then
    incus network create incusbr0 --type=bridge ipv6.address=none ipv4.nat=true "ipv4.address=$gateway/24" \
      "ipv4.dhcp.ranges=${subnet%.*}.200-${subnet%.*}.254" "bridge.mtu=$mtu"
  fi
}

ensure_pool() {
  incus storage show default >/dev/null 2>&1 || "make_pool_$(value storage)"
}

make_pool_btrfs() {
  if [ -d "$root/pool" ]; then
    # Left by a first boot that was cut off. With files in it, it would be somebody's data whose database is gone.
    [ -z "$(find "$root/pool" -type f -print -quit)" ] ||
      { echo "the pool $root/pool has data that Incus does not know: see  incus admin recover"; return 1; }
    find "$root/pool" -depth -type d -delete
  fi
  incus storage create default btrfs source="$root/pool"
}

# refquota: snapshots are the server's business and never fill a person's disk.
make_pool_zfs() {
  local dataset=containarium/containers
  if zfs list "$dataset" >/dev/null 2>&1; then
    # Left by a first boot that was cut off. With an image or a container in it, it would be somebody's data.
    ! zfs list -r -H -o name "$dataset" | grep -qE "^$dataset/(deleted/)?(buckets|containers|custom|images|virtual-machines)/." ||
      { echo "the pool $dataset has data that Incus does not know: see  incus admin recover"; return 1; }
    zfs destroy -r "$dataset"
  fi
  incus storage create default zfs source="$dataset" volume.zfs.use_refquota=true
}

ensure_golden_image() {
  "$here/bake-image.sh"
}

rebuild_accounts() {
  echo '{"op":"rebuild"}' | /usr/local/sbin/containarium-host > /run/containarium/rebuild.json ||
    { cat /run/containarium/rebuild.json; return 1; }
}

# First our own people are told, then the others' are asked for. A peer that is silent counts as it was heard last; one
# that answered before is asked again, as two servers that start together are slow. Ready means that we know.
ensure_fleet_service() {
  enable containarium-fleet.service
  systemctl restart containarium-fleet.service
  local attempt
  for attempt in 1 2 3; do
    echo '{"op":"peers.pull"}' | /usr/local/sbin/containarium-host > "$run/peers.json" ||
      { cat "$run/peers.json"; return 1; }
    python3 -c '
import json, sys
sys.exit(len(json.load(open(sys.argv[1]))["result"]["silent"]) > 0)' "$run/peers.json" && return 0
    [ "$attempt" = 3 ] || sleep 1
  done
}

# It must have been started to be stopped in its turn. The notice's watcher restarts with the file that it runs.
ensure_drain() {
  enable containarium-drain.service containarium-notice.service
  systemctl start containarium-drain.service
  systemctl restart containarium-notice.service
}

ensure_fail2ban() {
  install -m 0644 "$here/fail2ban-jail.local" /etc/fail2ban/jail.local
  install -m 0644 "$here/fail2ban.local" /etc/fail2ban/fail2ban.local
  printf '[DEFAULT]\nignoreip = 127.0.0.1/8 ::1 %s\n' "$(value neverBan | paste -sd' ')" > /etc/fail2ban/jail.d/containarium.local
  enable fail2ban.service
  systemctl restart fail2ban.service
}

# Containers whose server died start by themselves with Incus; ready means that they have.
wait_for_containers() {
  local deadline=$((SECONDS + 300)) pending
  while pending=$(incus query '/1.0/instances?recursion=1' | python3 -c '
import json, sys
print(" ".join(i["name"] for i in json.load(sys.stdin)
      if i["config"] and i["config"].get("user.containarium.user") and i["config"].get("user.containarium.state") == "ready"
      and i["config"].get("boot.autostart") == "true" and i["config"].get("volatile.last_state.power") != "STOPPED"
      and i["status"] != "Running"))') && [ -n "$pending" ]; do
    [ $SECONDS -lt $deadline ] || { echo "  did not start: $pending"; return 0; }
    sleep 0.3
  done
}

announce_ready() {
  mkdir -p "$run"
  printf '{"schema":1,"startupHash":"%s"}\n' "$(value startupHash)" > "$run/ready.new"
  mv "$run/ready.new" "$run/ready"
}

step() {
  local begin=${EPOCHREALTIME//[.,]/} tenths
  current=$1
  "$2"
  tenths=$(((${EPOCHREALTIME//[.,]/} - begin) / 100000))
  printf '%-32s %3d.%d s\n' "$1" $((tenths / 10)) $((tenths % 10))
}

main() {
  current=start
  trap 'status=$?; [ $status -eq 0 ] || echo "FAILED: $current"; exit $status' EXIT
  # One run at a time: boot, an upgrade and an administrator may meet.
  mkdir -p "$run"
  exec 9> "$run/bootstrap.lock"
  flock -w 1800 9 || { echo "another run has held $run/bootstrap.lock for 30 minutes"; exit 1; }
  rm -f "$run/ready"
  # After a boot Incus starts people's containers at the same time, and they are in before this is through.
  renice -n 10 $$ > /dev/null
  step "units" install_units
  step "packages" install_packages
  step "zfs module" ensure_zfs_module
  step "kernel modules" load_kernel_modules
  step "kernel limits" raise_kernel_limits
  step "admin account" ensure_admin
  step "data disk" ensure_data_disk
  step "host keys" ensure_host_keys
  step "host helper" install_host_helper
  step "sshd" ensure_sshd
  step "firewall" ensure_firewall
  step "incus" ensure_incus
  step "golden image" ensure_golden_image
  step "jump accounts" rebuild_accounts
  step "other servers" ensure_fleet_service
  step "end in order" ensure_drain
  step "fail2ban" ensure_fail2ban
  step "containers" wait_for_containers
  announce_ready
}

# On one line: the file may be replaced while it runs.
main "$@"; exit
