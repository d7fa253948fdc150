"""What `containarium-ops doctor` sees on one server. The host helper loads this file and calls `examine`.

Checks run in the order in which one thing needs the other. One whose need is not met is `skipped` and never red: the
cause stands above it. `depends` names checks on other servers that decide in the same way; who asks all of them settles
those. A remedy's commands are indented: `sudo ...` for the server, `containarium-ops ...` for the administrator.

Nothing is changed, with one exception: when nobody is banned, an address of RFC 5737 that nobody has is banned for a
moment, as the only proof that a ban reaches the kernel.
"""

import json
import os
import re
import time

LIBRARY = "/usr/local/lib/containarium"
MOUNTS = ["/srv/containarium", "/var/lib/incus"]
TEST_ADDRESS = "192.0.2.254"
FULL, NEARLY_FULL = 0.90, 0.80
# What was installed, and from which startup file.
PROGRAMS = {
    "/usr/local/sbin/containarium-host": "containarium-host",
    "/usr/local/sbin/containarium-fleet": "containarium-fleet",
    "/etc/systemd/system/containarium-disk.service": "containarium-disk.service",
    "/etc/systemd/system/containarium-firewall.service": "containarium-firewall.service",
    "/etc/systemd/system/containarium-fleet.service": "containarium-fleet.service",
}
SSHD_DROP_IN = "/etc/ssh/sshd_config.d/10-containarium.conf"
JAIL = "/etc/fail2ban/jail.local"
REBUILD = "Make the accounts anew from what Incus and the other servers say:\n  sudo containarium-host <<< '{\"op\":\"rebuild\"}'"


class Problem(Exception):
    """What is wrong, and what to do about it."""

    def __init__(self, message, remedy=None, state="failed"):
        super().__init__(message)
        self.remedy, self.state = remedy, state


def restart(unit):
    return f"Start it again:\n  sudo systemctl restart {unit}"


def clean(text):
    """One line that is safe to show: some of it may come from a container, whose owner is its root."""
    line = " ".join(str(text).split())
    return "".join(letter if letter.isprintable() else "?" for letter in line)[:300]


class Look:
    """What the checks look at. Each is a method that returns what is worth knowing, or raises a Problem."""

    def __init__(self, host, user=None, peers=None):
        self.host, self.user = host, user
        self.config = host.server_config()
        self.peers = host.kept_ids() if peers is None else peers
        self.silent = None
        self.instance = self.record = None

    # ------------------------------------------------------------------------------------------------ the server

    def startup(self):
        host = self.host
        ready = host.read_text(f"{host.RUN}/ready")
        if ready is None:
            if self.state_of("containarium-startup.service") == "activating":
                raise Problem("it is under way", "Wait for it:\n  sudo journalctl -u containarium-startup -n 20")
            raise Problem("it did not come to its end", host.BOOTSTRAP_REMEDY)
        applied, wanted = host.applied_hash(ready), str(self.config.get("startupHash"))
        if applied != wanted:
            raise Problem(f"startup files {wanted} are here, {applied} were applied", host.BOOTSTRAP_REMEDY)
        for installed, source in PROGRAMS.items():
            self.same(installed, source)
        return f"through, files {applied}"

    def data_disk(self):
        for mount in MOUNTS:
            if not os.path.ismount(mount):
                raise Problem(f"{mount} is not mounted", self.host.BOOTSTRAP_REMEDY)
        wanted = self.config.get("dataDiskId")
        if self.is_zfs():
            found = self.output("zfs", "get", "-H", "-o", "value", "containarium:disk-id", "containarium")
        else:
            device = self.output("findmnt", "-n", "-o", "SOURCE", MOUNTS[0]).split("[")[0]
            found = self.output("blkid", "-p", "-o", "value", "-s", "UUID", device)
        if found != wanted:
            raise Problem(f"the disk {found} is here, and {wanted} is this server's", "Attach the right disk.")
        return f"{self.config.get('storage')}, {found}"

    def pool_health(self):
        if self.is_zfs():
            said = self.output("zpool", "status", "-x", "containarium")
            if "is healthy" not in said:
                raise Problem(said, "See what it says; after the cause is gone, clear:\n  sudo zpool status -v containarium")
            return "healthy"
        lines = self.output("btrfs", "device", "stats", MOUNTS[0]).splitlines()
        bad = [line.split(".", 1)[-1] for line in lines if line.split()[-1] != "0"]
        if bad:
            remedy = "Check every block; when all is well again, forget the errors:\n"
            remedy += f"  sudo btrfs scrub start -B {MOUNTS[0]}\n  sudo btrfs device stats -z {MOUNTS[0]}"
            raise Problem(f"errors of the disk: {', '.join(bad)}", remedy)
        return "no errors"

    def pool_space(self):
        space = self.host.pool_space()
        share = space["usedBytes"] / max(1, space["totalBytes"])
        text = f"{share:.0%} of {space['totalBytes'] / 2**30:.0f} GiB used"
        if share >= NEARLY_FULL:
            remedy = "Delete old snapshots or containers, or raise containarium:dataDiskSizeGb and update the stack."
            rule = "; no new containers" if share >= FULL else f"; no new containers from {FULL:.0%} on"
            raise Problem(text + rule, remedy, "failed" if share >= FULL else "warning")
        return text

    def kernel_limits(self):
        low = []
        for line in self.read(f"{LIBRARY}/kernel-limits").splitlines():
            if line.startswith("#") or not line.strip():
                continue
            name, wanted = line.split()
            current = self.host.kernel_limit(name)
            if current is not None and current < int(wanted):
                low.append(f"{name} is {current}, wanted {wanted}")
        if low:
            remedy = self.host.BOOTSTRAP_REMEDY
            raise Problem("; ".join(low), remedy)
        return "as wanted"

    def clock(self):
        if self.host.run(["systemd-detect-virt", "--container"]).stdout.strip() != "none":
            return "its host's"
        if self.output("timedatectl", "show", "-p", "NTPSynchronized", "--value") != "yes":
            raise Problem("it is not synchronised", "Let it be:\n  sudo timedatectl set-ntp true", "warning")
        return "synchronised"

    def sshd(self):
        if not self.listens(22):
            raise Problem("nothing listens on port 22", restart("ssh.service"))
        self.same(SSHD_DROP_IN, "sshd-containarium.conf")
        for_all, for_jumps = self.wanted_sshd()
        people = [account.pw_name for account in self.host.our_accounts()]
        who = [(self.config["admin"]["user"], for_all)] + [(name, for_jumps) for name in people[:1]]
        for name, wanted in who:
            lines = self.output("sshd", "-T", "-C", f"user={name},host=localhost,addr=127.0.0.1").splitlines()
            holds = {}
            for line in lines:
                key, _, value = line.partition(" ")
                holds.setdefault(key, value)
            for key, value in wanted.items():
                if holds.get(key, value) != value:
                    remedy = f"Find what says so, take it away, and reload:\n  sudo grep -ri {key} /etc/ssh/sshd_config /etc/ssh/sshd_config.d"
                    raise Problem(f"{key} is {holds[key]} for {name}, not {value}", remedy)
        return "as installed"

    def wanted_sshd(self):
        """The settings that our drop-in makes: (for everybody, for jump accounts), names in small letters."""
        everybody, jumps = {}, {}
        into = everybody
        for line in self.read(f"{LIBRARY}/sshd-containarium.conf").splitlines():
            key, _, value = line.strip().partition(" ")
            if key.lower() == "match":
                into = jumps if value == f"Group {self.host.GROUP}" else {}
            elif key and not key.startswith("#"):
                into[key.lower()] = value
        return everybody, jumps

    def firewall(self):
        reload = f"Load it again:\n  sudo nft -f {self.host.FIREWALL}"
        self.same(self.host.FIREWALL, "nftables-containarium.conf")
        live = self.host.run(["nft", "-j", "list", "table", "inet", "containarium"])
        if live.returncode != 0:
            raise Problem("the table inet containarium is gone: every container may reach this server", reload)
        # The same file in a network of its own says what the kernel should hold.
        script = f"nft -f {self.host.FIREWALL} && nft -j list table inet containarium"
        different = differences(live.stdout, self.output("unshare", "-n", "sh", "-c", script))
        if different:
            raise Problem(f"the kernel's table is not that of {self.host.FIREWALL}: {', '.join(different)}", reload)
        return "as installed"

    def fail2ban(self):
        unit = "fail2ban.service"
        if self.state_of(unit) != "active":
            raise Problem("it does not run: nobody is banned", restart(unit))
        self.same(JAIL, "fail2ban-jail.local")
        status = self.host.run(["fail2ban-client", "status", "sshd"])
        if status.returncode != 0:
            raise Problem("its jail sshd is not there", restart(unit))
        banned = re.search(r"Banned IP list:\s*(.*)", status.stdout)
        addresses = banned[1].split() if banned else []
        if not addresses:
            self.try_a_ban(unit)
        elif not all(self.blocks(address) for address in addresses):
            raise Problem("it bans, but the kernel does not block", restart(unit))
        return f"blocks; {len(addresses)} banned"

    def try_a_ban(self, unit):
        run = self.host.run
        run(["fail2ban-client", "set", "sshd", "banip", TEST_ADDRESS])
        try:
            deadline = time.monotonic() + 8
            while not self.blocks(TEST_ADDRESS):
                if time.monotonic() > deadline:
                    raise Problem("a ban does not reach the kernel", restart(unit))
                time.sleep(0.1)
        finally:
            run(["fail2ban-client", "set", "sshd", "unbanip", TEST_ADDRESS])

    def blocks(self, address):
        """In the kernel, not in fail2ban's list: in a set, and a rule for port 22 that uses the set."""
        table = self.host.run(["nft", "list", "table", "inet", "f2b-table"]).stdout
        rule = re.search(r"tcp dport (?:\{ )?22(?: \})? ip6? saddr @(addr6?-set-sshd)\b.*(?:reject|drop)", table)
        return rule is not None and re.search(rf"(?<![\d.]){re.escape(address)}(?![\d.])", table) is not None

    def incus(self):
        return f"answers, version {self.host.incus_get('/1.0', timeout=5.0)['environment']['server_version']}"

    def golden_image(self):
        name = f"containarium/{self.config['image']}"
        wanted = str(self.config["imageVersion"])
        remedy = f"Bake it:\n  sudo {LIBRARY}/bake-image.sh"
        images = self.host.incus_get("/1.0/images?recursion=1")
        image = next((one for one in images if name in [alias["name"] for alias in one["aliases"]]), None)
        if image is None:
            raise Problem(f"there is no image {name}", remedy)
        if image["properties"].get("containarium.version") != wanted:
            raise Problem(f"{name} is of another version", remedy, "warning")
        return f"{name} of {image['properties'].get('containarium.baked-at', 'an unknown day')[:10]}"

    def fleet_service(self):
        unit = "containarium-fleet.service"
        if self.state_of(unit) != "active" or not self.listens(self.host.FLEET_PORT):
            raise Problem("it does not run: servers do not hear of each other's people", restart(unit))
        return f"answers on port {self.host.FLEET_PORT}"

    def hears(self, peer):
        host = self.host
        if self.silent is None:
            _, self.silent = host.ask_peers(self.peers)
        if peer in self.silent:
            raise Problem(f"{host.server_name(peer)} does not answer {host.server_address(peer)}: {self.silent[peer]}",
                          f"See what it says, on {host.server_name(peer)}:\n  sudo journalctl -u containarium-fleet -n 20")  # fmt: skip
        return "answers"

    def accounts(self):
        host = self.host
        own, skipped, claimed = host.wanted_accounts()
        theirs, refused = host.peers_accounts(claimed)
        wanted = {**theirs, **own}
        wrong = {user: why for user, (keys, target) in wanted.items() if (why := self.wrong_account(user, keys, target))}
        for account in host.our_accounts():
            if account.pw_name not in claimed and account.pw_name not in theirs:
                wrong[account.pw_name] = "has an account and no container"
        # Who is asked for by name has a check of their own.
        wrong.pop(self.user if self.user in claimed else None, None)
        if wrong:
            some = [f"{user} {why}" for user, why in sorted(wrong.items())][:5]
            more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
            raise Problem("; ".join(some) + more, REBUILD)
        if host.read_text(host.FIREWALL_ELEMENTS) != host.firewall_elements()[1]:
            raise Problem(f"{host.FIREWALL_ELEMENTS} is not what the accounts say", REBUILD)
        if skipped or refused:
            reasons = [f"{one.get('instance') or one.get('user') or one.get('server')}: {one['reason']}" for one in skipped + refused]
            raise Problem(f"passed over: {'; '.join(reasons[:5])}", None, "warning")
        return f"{len(wanted)}, as Incus and the other servers say"

    def wrong_account(self, user, keys, target):
        host = self.host
        try:
            account = host.find_account(user)
        except host.Failure as failure:
            return failure.message
        if account is None:
            return "has no jump account"
        if account.pw_shell != host.SHELL or host.shadow_password(user) != host.PASSWORD:
            return "has an account with another shell or password"
        if host.read_keys(user)[0] != target:
            return f"may not go to {target}"
        if host.read_text(host.keys_path(user)) != host.keys_text(keys, target):
            return "has other keys at the jump account than Incus says"
        return None

    # -------------------------------------------------------------------------------------------------- one person

    def container(self):
        host, user = self.host, self.user
        name = f"{user.replace('_', '-')}-container"
        self.instance = host.incus_get(f"/1.0/instances/{name}")
        config = self.instance["config"]
        if config.get("user.containarium.state") != "ready":
            raise Problem(f"{name} is half-made", f"Complete it:\n  containarium-ops create {user} --ssh-key FILE")
        keys = host.parse_keys(json.loads(config.get("user.containarium.keys") or "[]"))
        self.record = (name, keys, host.parse_target(self.instance["devices"]["eth0"].get("ipv4.address")))
        return f"{name}, {self.record[2]}"

    def running(self):
        if self.instance["status"] != "Running":
            raise Problem(f"it is {self.instance['status'].lower()}", f"Start it:\n  containarium-ops start {self.user}")
        return "yes"

    def address(self):
        name, _, target = self.record
        state = self.host.incus_get(f"/1.0/instances/{name}/state")
        found = [one["address"] for one in (state.get("network") or {}).get("eth0", {}).get("addresses", [])]
        if target not in found:
            raise Problem(f"it has {', '.join(found) or 'none'}, not {target}",
                          f"Start it again:\n  containarium-ops restart {self.user}")  # fmt: skip
        return target

    def quota(self):
        name = self.record[0]
        size = str(self.instance["devices"].get("root", {}).get("size", ""))
        match = re.fullmatch(r"(\d+)([kMGT]?i?B)", size)
        if match is None:
            raise Problem(f"its disk has no limit ({clean(size) or 'none'})", None, "warning")
        powers = {"B": 0, "k": 1, "M": 2, "G": 3, "T": 4}
        limit = int(match[1]) * (1024 if "i" in match[2] else 1000) ** powers[match[2][0]]
        used = ((self.host.incus_get(f"/1.0/instances/{name}/state").get("disk") or {}).get("root") or {}).get("usage", 0)
        text = f"{used / max(1, limit):.0%} of {size} used"
        if used >= 0.9 * limit:
            remedy = f"Delete files in the container, or give it more:\n  containarium-ops resize {self.user} --disk-quota {2 * int(match[1])}{match[2]}"
            raise Problem(text, remedy, "failed" if used >= 0.98 * limit else "warning")
        return text

    def processes(self):
        limit = int(self.instance["config"].get("limits.processes") or 0)
        used = self.host.incus_get(f"/1.0/instances/{self.record[0]}/state").get("processes", 0)
        text = f"{used} of {limit or 'any number'}"
        if limit and used >= 0.9 * limit:
            remedy = f"End some in the container, or allow more:\n  containarium-ops resize {self.user} --processes {2 * limit}"
            raise Problem(text, remedy, "failed" if used >= 0.95 * limit else "warning")
        return text

    def account(self):
        _, keys, target = self.record
        if not keys:
            raise Problem("no key lets them in", f"Give one:\n  containarium-ops keys add {self.user} --ssh-key FILE", "warning")
        if why := self.wrong_account(self.user, keys, target):
            raise Problem(f"{self.user} {why}", REBUILD)
        return f"{len(keys)} key{'s' if len(keys) > 1 else ''}, opens {target} port 22 and nothing else"

    def guest_keys(self):
        """Only whether the recorded ones are there: what else the container's owner lets in is their business."""
        name, keys, _ = self.record
        text = self.host.incus_file(name, f"/etc/ssh/authorized_keys.d/{self.user}") or ""
        inside = {tuple(line.split()[:2]) for line in text.splitlines()}
        missing = [key for key in keys if tuple(key.split()[:2]) not in inside]
        if missing:
            again = "\n".join(
                f"  containarium-ops keys add {self.user} --ssh-key - <<< '{' '.join(key.split()[:2])}'" for key in missing[:1]
            )
            raise Problem(f"{len(missing)} of {len(keys)} recorded keys are not in the container", f"Write them again:\n{again}")
        return "the same at both hops"

    def way(self):
        host = self.host
        if self.record is None:
            target = host.read_keys(self.user)[0]
            if target is None:
                raise Problem(f"{self.user} has no jump account here", REBUILD)
        else:
            target = self.record[2]
        answer = host.path_verify(self.user, target, 15.0)
        recorded = set(json.loads(self.instance["config"].get("user.containarium.host-keys") or "[]")) if self.instance else set()
        shown = set(answer["hostKeys"])
        kinds = {key.split()[0] for key in recorded}
        if any(key not in recorded for key in shown if key.split()[0] in kinds):
            remedy = f"Its owner changed it, or another machine answers. If it is theirs, send them a new file:\n  containarium-ops export {self.user}"
            raise Problem("the container shows another host key than the recorded one", remedy)
        return f"{clean(answer['banner'])} by way of the jump account"

    # ------------------------------------------------------------------------------------------------------ tools

    def same(self, installed, source):
        if self.host.read_text(installed) != self.read(f"{LIBRARY}/{source}"):
            raise Problem(f"{installed} is not as the startup files have it", self.host.BOOTSTRAP_REMEDY)

    def read(self, path):
        text = self.host.read_text(path)
        if text is None:
            raise Problem(f"{path} is missing", self.host.BOOTSTRAP_REMEDY)
        return text

    def output(self, *argv):
        return self.host.run_or_fail(list(argv), timeout=20).stdout.strip()

    def state_of(self, unit):
        return self.host.run(["systemctl", "is-active", unit]).stdout.strip()

    def is_zfs(self):
        return self.config.get("storage") == "zfs"

    def listens(self, port):
        """By the kernel's table: a connection would count against sshd's limits."""
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            rows = [line.split() for line in (self.host.read_text(table) or "").splitlines()[1:]]
            if any(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows):
                return True
        return False


def differences(live, wanted):
    """What two tables as `nft -j` lists them do not share, without what they have counted."""
    parts = [table_parts(text) for text in (live, wanted)]
    return sorted(name for name in {**parts[0], **parts[1]} if parts[0].get(name) != parts[1].get(name))


def table_parts(text):
    parts = {}
    for entry in json.loads(text)["nftables"]:
        for kind, value in entry.items():
            if kind == "metainfo":
                continue
            kept = {key: one for key, one in value.items() if key not in ("handle", "packets", "bytes")}
            if "elem" in kept:
                kept["elem"] = sorted(json.dumps(one, sort_keys=True) for one in kept["elem"])
            name = f"chain {value['chain']}" if kind == "rule" else f"{kind} {value.get('name')}"
            parts.setdefault(name, []).append(json.dumps(kept, sort_keys=True))
    return parts


def server_checks(look):
    """(name, needs, check, checks of other servers on which it depends)."""
    yield "startup", [], look.startup, []
    yield "data disk", [], look.data_disk, []
    yield "pool health", ["data disk"], look.pool_health, []
    yield "kernel limits", [], look.kernel_limits, []
    yield "clock", [], look.clock, []
    yield "sshd", [], look.sshd, []
    yield "firewall", [], look.firewall, []
    yield "fail2ban", [], look.fail2ban, []
    yield "Incus", ["data disk"], look.incus, []
    yield "pool space", ["Incus"], look.pool_space, []
    yield "golden image", ["Incus"], look.golden_image, []
    yield "fleet service", [], look.fleet_service, []
    for peer in look.peers:
        name = look.host.server_name(peer)
        yield f"hears {name}", ["fleet service"], lambda peer=peer: look.hears(peer), [(name, "fleet service")]
    yield "jump accounts", ["Incus"], look.accounts, []


def user_checks(look, home):
    user = look.user
    if home == "here":
        yield f"{user}: container", ["Incus"], look.container, []
        yield f"{user}: running", [f"{user}: container"], look.running, []
        yield f"{user}: address", [f"{user}: running"], look.address, []
        yield f"{user}: disk", [f"{user}: container"], look.quota, []
        yield f"{user}: processes", [f"{user}: running"], look.processes, []
        yield f"{user}: account", [f"{user}: container"], look.account, []
        yield f"{user}: keys", [f"{user}: account"], look.guest_keys, []
        needs = ["sshd", "firewall", *(f"{user}: {what}" for what in ("address", "processes", "account"))]
        yield f"{user}: way in", needs, look.way, []
    elif home is not None:
        needs = ["sshd", "firewall", "jump accounts"]
        yield f"{user}: way in", needs, look.way, [(home, f"{user}: way in")]


def home_of(look):
    """`here`, the name of the server that has this person, or None; None as well while Incus is silent."""
    host = look.host
    _, _, claimed = host.wanted_accounts()
    if look.user in claimed:
        return "here"
    kept, _ = host.kept_claims()
    return next((host.server_name(one) for one, claims in kept.items() if look.user in claims), None)


def examine(host, user, peers):
    look = Look(host, user, peers)
    checks = list(server_checks(look))
    home = None
    if user is not None:
        try:
            home = home_of(look)
        except host.Failure:
            home = host.home_of(host.read_keys(user)[0]) if host.read_keys(user)[0] else None
        checks += user_checks(look, home)
    return {"name": look.config.get("name"), "time": time.time(), "home": home, "checks": run_checks(checks, host.Failure)}


def run_checks(checks, expected):
    """Each in its turn; a failure that nobody foresaw is one of that check alone."""
    results, well = [], set()
    for name, needs, check, depends in checks:
        result = {"name": name, "depends": [{"server": server, "check": one} for server, one in depends]}
        lacking = next((need for need in needs if need not in well), None)
        if lacking is not None:
            results.append({**result, "state": "skipped", "detail": f"needs {lacking}"})
            continue
        remedy = None
        try:
            state, detail = "ok", check()
        except Problem as problem:
            state, detail, remedy = problem.state, str(problem), problem.remedy
        except expected as failure:
            state, detail, remedy = "failed", failure.message, failure.remedy
        except Exception as error:  # whatever it was: the other checks have their say
            state, detail = "failed", f"cannot be looked at: {type(error).__name__}: {error}"
        if state in ("ok", "warning"):
            well.add(name)
        results.append({**result, "state": state, "detail": clean(detail), **({"remedy": remedy} if remedy else {})})
    return results
