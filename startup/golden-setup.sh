#!/bin/bash
# Turns a Debian or Ubuntu root file system into the golden image that every person's container is copied from.
# Runs as root inside it: in a chroot while the image is built, or in a running container while a server bakes one.
#
# Inputs:   none (packages are there already, see golden-packages; what is missing is installed)
# Leaves:   sshd that accepts keys only, Docker that starts on first use, one interface by DHCP, a unit that makes the
#           person's account at boot; no host keys, no machine id, no leases: nothing that two copies could share.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

install_missing_packages() {
  local package missing=()
  while read -r package; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done < <(grep -v '^#' /usr/local/lib/containarium/golden-packages)
  [ ${#missing[@]} -gt 0 ] || return 0
  apt-get update -q
  for package in "${missing[@]}"; do
    # Ubuntu's docker.io brings its own client: what a distribution does not know is not missing there.
    apt-cache show "$package" >/dev/null 2>&1 || continue
    apt-get install -qy --no-install-recommends "$package"
  done
}

configure_sshd() {
  # The administrator's list of keys is root's own file, beside the one that the person may edit.
  cat > /etc/ssh/sshd_config.d/10-containarium.conf <<'EOF'
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
UseDNS no
# Everybody comes from the server's one address: limits per source would turn one person's bad minute into a lockout,
# and an editor opens many connections at once.
MaxStartups 200:30:400
EOF
  # OpenSSH 9.8 and later. With the stock values 14 of 30 quick probes were refused.
  mkdir -p /run/sshd
  if ! sshd -T -o PerSourcePenalties=no 2>&1 | grep -qi 'bad configuration option'; then
    echo 'PerSourcePenalties no' >> /etc/ssh/sshd_config.d/10-containarium.conf
  fi
  mkdir -p /etc/ssh/authorized_keys.d
}

# systemd-networkd waits for udev, which nested containers do not run; ifupdown takes 20 ms.
configure_network() {
  cat > /etc/network/interfaces <<'EOF'
auto lo
iface lo inet loopback

auto eth0
iface eth0 inet dhcp
EOF
  systemctl enable networking.service
  systemctl disable systemd-networkd.service systemd-networkd.socket 2>/dev/null || true
}

# systemd's own range ends beyond the ids that an unprivileged container has, so it is refused and ping is root's.
allow_ping() {
  echo 'net.ipv4.ping_group_range = 0 65535' > /etc/sysctl.d/60-containarium-ping.conf
}

# An idle person costs nothing: the daemon starts when somebody speaks to its socket.
configure_docker() {
  systemctl disable docker.service containerd.service 2>/dev/null || true
  systemctl enable docker.socket
}

install_user_unit() {
  cat > /usr/local/lib/containarium/prepare-user <<'EOF'
#!/bin/sh
# Makes this container its owner's: account, sudo, own host key. Runs at every boot before sshd; repeats nothing.
set -eu
config=/etc/containarium/user.json
[ -f "$config" ] || exit 0
user=$(sed -n 's/.*"user" *: *"\([a-z][a-z0-9_-]*\)".*/\1/p' "$config")
[ -n "$user" ] || { echo "no user in $config" >&2; exit 1; }
[ -s /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N "" -C "$(uname -n)" -f /etc/ssh/ssh_host_ed25519_key
docker=
if grep -q '"docker" *: *true' "$config"; then docker=docker; fi
if ! getent passwd "$user" >/dev/null; then
  # A group of that name (games, users ...) may exist in the image: then it is the primary group.
  if getent group "$user" >/dev/null; then primary="--gid $user"; else primary=--user-group; fi
  useradd --create-home --uid 1000 --shell /bin/bash $primary ${docker:+--groups docker} "$user"
elif [ -n "$docker" ] && ! id -nG "$user" | grep -qw docker; then
  usermod -aG docker "$user"
fi
sudoers=/etc/sudoers.d/containarium
if [ ! -s "$sudoers" ]; then
  printf '%s ALL=(ALL:ALL) NOPASSWD:ALL\n' "$user" > "$sudoers.new"
  chmod 0440 "$sudoers.new"
  mv "$sudoers.new" "$sudoers"
fi
EOF
  chmod 0755 /usr/local/lib/containarium/prepare-user
  cat > /etc/systemd/system/containarium-user.service <<'EOF'
[Unit]
Description=Make this container its owner's
DefaultDependencies=no
After=local-fs.target
Before=ssh.service sshd.service
ConditionPathExists=/etc/containarium/user.json

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/lib/containarium/prepare-user

[Install]
WantedBy=multi-user.target
EOF
  systemctl enable containarium-user.service ssh.service
}

trim_boot() {
  local generator
  # Nothing of these has a meaning in a container, and each costs time at boot. (/dev is the server's: it has all there is.)
  systemctl mask systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket systemd-udev-trigger.service \
    ifupdown-pre.service systemd-tmpfiles-setup-dev-early.service systemd-tmpfiles-setup-dev.service kmod-static-nodes.service \
    systemd-pstore.service systemd-tpm2-setup-early.service systemd-tpm2-setup.service systemd-hibernate-clear.service \
    sys-kernel-debug.mount sys-kernel-tracing.mount systemd-modules-load.service e2scrub_reap.service \
    apt-daily.timer apt-daily-upgrade.timer man-db.timer fstrim.timer \
    modprobe@configfs.service modprobe@drm.service modprobe@efi_pstore.service modprobe@fuse.service 2>/dev/null || true
  # These look at a kernel's command line, partitions, a TPM, and for ways to sshd past the network: a container has none.
  mkdir -p /etc/systemd/system-generators
  for generator in debug gpt-auto hibernate-resume run ssh tpm2; do
    ln -sfn /dev/null "/etc/systemd/system-generators/systemd-$generator-generator"
  done
}

# Otherwise the first boot of every copy does it again: linker cache, message catalogue, system users.
mark_up_to_date() {
  systemd-sysusers
  ldconfig
  journalctl --update-catalog
  touch /etc/.updated /var/.updated
}

forget_identity() {
  rm -f /etc/ssh/ssh_host_* /etc/hostname /var/lib/dbus/machine-id /var/lib/systemd/random-seed
  rm -f /var/lib/dhcp/*.leases
  : > /etc/machine-id
  apt-get clean
  rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log /tmp/*
}

install_missing_packages
configure_sshd
configure_network
allow_ping
configure_docker
install_user_unit
trim_boot
mark_up_to_date
forget_identity
