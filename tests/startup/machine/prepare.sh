#!/bin/bash
# Runs inside a disposable Debian 13 machine: makes of it a jump server without Incus, with stand-ins around it.
#
# Inputs:   the startup files in /usr/local/lib/containarium, this directory in /usr/local/lib/stand-ins
# Leaves:   helper, sshd, firewall table as bootstrap.sh installs them, and
#             incusbr0 10.0.3.1/24      with network namespaces alice (10.0.3.10) and bob (10.0.3.11): sshd on 22, which
#                                       lets root in by keys/laptop and says where one is, and a stand-in on 80
#             namespace outside         198.51.100.2 (the internet, and people's laptops) and private addresses behind
#                                       the same wire: metadata, VPC; a stand-in on 22, 53, 80 of each
#             namespace fleet           10.64.0.12, another server of this one's fleet (10.64.0.11); 10.64.0.5, which is
#                                       none; 35.191.0.9, one of Google's health checks
#             /run/standin.socket       a unix socket that answers
# Refuses:  a machine that is somebody already.
set -euo pipefail

readonly startup=/usr/local/lib/containarium here=/usr/local/lib/stand-ins mark=/etc/containarium/test-machine
readonly private=(169.254.169.254 10.20.0.2 172.16.9.2 192.168.77.2 100.64.0.2)

refuse_somebody() {
  if [ -e /etc/containarium/server.json ] && [ ! -e "$mark" ]; then
    echo "this machine is a server already: the test needs a disposable one" >&2
    exit 3
  fi
}

# The machine was started a moment ago.
wait_for_systemd() {
  local deadline=$((SECONDS + 30))
  until systemctl list-jobs >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || { echo "systemd does not answer" >&2; exit 1; }
    sleep 0.1
  done
}

forget_incus() {
  systemctl mask -q --runtime --now incus.socket incus.service incus-user.socket incus-startup.service 2>/dev/null || true
  systemctl stop -q fail2ban.service
}

install_server() {
  mkdir -p /etc/containarium /srv/containarium/state /run/containarium /var/lib/incus
  chmod 0700 /srv/containarium/state
  touch "$mark"
  cat > /etc/containarium/server.json <<'JSON'
{"schema":1,"name":"jump-1","admin":{"user":"boss","authorizedKeys":[]},"dataDisk":"none","storage":"btrfs",
 "containerSubnet":"10.0.3.0/24","fleetSubnet":"10.64.0.0/24","image":"debian/13","imageSource":"none","startupHash":"wanted"}
JSON
  echo '{"schema":1,"startupHash":"applied"}' > /run/containarium/ready
  getent group containarium-jump >/dev/null || groupadd --system containarium-jump
  id boss >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --password '*' boss
  install -m 0755 "$startup/containarium-host" /usr/local/sbin/containarium-host
  ssh-keygen -A >/dev/null
  install -m 0644 "$startup/sshd-containarium.conf" /etc/ssh/sshd_config.d/10-containarium.conf
  install -m 0644 "$startup/sshd-penalties.conf" /etc/ssh/sshd_config.d/11-containarium-penalties.conf
  sshd -t
  systemctl restart ssh.service
  install -m 0644 "$startup/nftables-containarium.conf" /etc/nftables-containarium.conf
  mkdir -p /etc/containarium/nftables.d
  # The very function that bootstrap.sh has.
  bash -euo pipefail -c "$(sed -n '/^value() {/,/^}/p; /^has() /p; /^write_fleet_addresses() {/,/^}/p' "$startup/bootstrap.sh"); write_fleet_addresses"
  nft -f /etc/nftables-containarium.conf
  install -m 0644 "$startup/containarium-firewall.service" /etc/systemd/system/containarium-firewall.service
  mkdir -p /etc/systemd/system/user@.service.d
  install -m 0644 "$startup/user-manager.conf" /etc/systemd/system/user@.service.d/10-containarium.conf
  systemctl daemon-reload
  systemctl enable -q containarium-firewall.service
  install -m 0644 "$startup/fail2ban.local" /etc/fail2ban/fail2ban.local
  install -m 0644 "$startup/fail2ban-jail.local" /etc/fail2ban/jail.local
}

make_keys() {
  local name
  mkdir -p "$here/keys"
  for name in laptop other agent; do
    [ -e "$here/keys/$name" ] || ssh-keygen -q -t ed25519 -N "" -C "$name" -f "$here/keys/$name"
  done
  install -d -m 0700 -o boss -g boss /home/boss/.ssh
  install -m 0600 -o boss -g boss "$here/keys/laptop.pub" /home/boss/.ssh/authorized_keys
}

# What sshd would be without our drop-in (2299: any forwarding), and with it, but commands run (2298).
make_lax_sshd() {
  cat > /etc/ssh/stand-in-lax <<CONF
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile $here/keys/laptop.pub
StrictModes no
PidFile none
CONF
  cat > /etc/ssh/stand-in-commands <<CONF
PidFile none
Port 2298
Match Group containarium-jump
    ForceCommand env; sleep 0.2
Match all
Include /etc/ssh/sshd_config.d/10-containarium.conf
CONF
  in_background /usr/sbin/sshd -D -p 2299 -f /etc/ssh/stand-in-lax
  in_background /usr/sbin/sshd -D -f /etc/ssh/stand-in-commands
}

# namespace, its end, our end
wire() {
  ip netns add "$1"
  ip link add "$3" type veth peer name "$2" netns "$1"
  ip -n "$1" link set lo up
  ip -n "$1" link set "$2" up
  ip link set "$3" up
}

in_background() { setsid "$@" </dev/null >>/var/log/stand-ins.log 2>&1 & }

make_container() {
  local name=$1 address=$2
  wire "$name" eth0 "veth-$name"
  ip link set "veth-$name" master incusbr0
  bridge link set dev "veth-$name" isolated on
  ip -n "$name" address add "$address/24" dev eth0
  ip -n "$name" route add default via 10.0.3.1
  cat > "/etc/ssh/stand-in-$name" <<CONF
ListenAddress $address
HostKey /etc/ssh/stand-in-$name-key
AuthorizedKeysFile $here/keys/laptop.pub
StrictModes no
PermitRootLogin yes
PerSourcePenalties no
MaxStartups 200
PidFile none
ForceCommand echo "inside $name"; cat
CONF
  [ -e "/etc/ssh/stand-in-$name-key" ] || ssh-keygen -q -t ed25519 -N "" -f "/etc/ssh/stand-in-$name-key"
  in_background ip netns exec "$name" /usr/sbin/sshd -D -f "/etc/ssh/stand-in-$name"
  in_background ip netns exec "$name" python3 "$here/standin.py" "$address:80" "$address:2222"
}

make_outside() {
  local address listeners=()
  wire outside eth0 out0
  ip address add 198.51.100.1/24 dev out0
  ip -n outside address add 198.51.100.2/24 dev eth0
  for address in 198.51.100.3 198.51.100.4 198.51.100.5; do ip -n outside address add "$address/24" dev eth0; done
  ip -n outside route add default via 198.51.100.1
  for address in "${private[@]}"; do
    ip -n outside address add "$address/32" dev lo
    ip route add "$address/32" via 198.51.100.2
  done
  for address in 198.51.100.2 "${private[@]}"; do listeners+=("$address:22" "$address:53" "$address:80"); done
  in_background ip netns exec outside python3 "$here/standin.py" "${listeners[@]}"
}

make_fleet() {
  local address
  wire fleet eth0 fleet0
  ip address add 10.64.0.11/24 dev fleet0
  for address in 10.64.0.12/24 10.64.0.5/24 35.191.0.9/32; do ip -n fleet address add "$address" dev eth0; done
  ip -n fleet route add default via 10.64.0.11
  ip route add 35.191.0.9/32 dev fleet0
  in_background ip netns exec fleet python3 "$here/standin.py" 10.64.0.12:22 10.64.0.12:8022
}

# The same addresses under IPv6, and this server's own services.
make_the_rest() {
  ip -6 address add fd00:3::1/64 dev incusbr0 nodad
  ip -6 address add 2001:db8::1/64 dev out0 nodad
  ip -n outside -6 address add 2001:db8::2/64 dev eth0 nodad
  ip -n outside -6 address add fd00:77::2/128 dev lo nodad
  ip -n outside -6 route add default via 2001:db8::1
  ip -n alice -6 address add fd00:3::a/64 dev eth0 nodad
  ip -n alice -6 route add default via fd00:3::1
  ip -6 route add fd00:77::2/128 via 2001:db8::2
  in_background ip netns exec outside python3 "$here/standin.py" "2001:db8::2:80" "fd00:77::2:80"
  in_background python3 "$here/standin.py" unix:/run/standin.socket \
    127.0.0.1:80 10.0.3.1:53 10.0.3.1:67 10.0.3.1:80 10.0.3.1:8443 198.51.100.1:80 "fd00:3::1:80" \
    127.0.0.1:8022 10.0.3.1:8022 10.64.0.11:8022 198.51.100.1:8022 "2001:db8::1:8022"
}

wait_for_stand_ins() {
  local deadline=$((SECONDS + 20))
  until [ "$(grep -c ready /var/log/stand-ins.log)" -ge 6 ] && python3 "$here/reach.py" tcp 10.0.3.10 22 >/dev/null &&
    python3 "$here/reach.py" tcp 10.0.3.11 22 >/dev/null; do
    [ $SECONDS -lt $deadline ] || { cat /var/log/stand-ins.log >&2; exit 1; }
    sleep 0.1
  done
}

refuse_somebody
wait_for_systemd
forget_incus
install_server
make_keys
if ! ip link show incusbr0 >/dev/null 2>&1; then
  : > /var/log/stand-ins.log
  sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  ip link add incusbr0 type bridge
  ip address add 10.0.3.1/24 dev incusbr0
  ip link set incusbr0 up
  make_container alice 10.0.3.10
  make_container bob 10.0.3.11
  make_outside
  make_fleet
  make_the_rest
  make_lax_sshd
  wait_for_stand_ins
fi
