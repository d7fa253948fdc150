"""What happened on this server: the part of containarium-host that keeps the record, and looks at sessions and bans.

The journal lies on the boot disk, and is lost with it. So what it says about logins is collected to the data disk, by
every question and every minute by containarium-fleet; beside it lies what was done to people's containers, and who was
banned. Each is a file of JSON lines that is only ever appended to and keeps its newest RECORD_BYTES, twice. Failed logins
have a file of their own: strangers can make any number of them, and must not push out what people did.

Only sshd itself is believed: its lines as root's, by fields that the journal fills in, and each by an expression that
fits all of it. The names in them are chosen by whoever knocks: what counts stands behind them, at the line's end.
"""

import contextlib
import datetime
import fcntl
import ipaddress
import json
import os
import re
import signal
import socket
import sqlite3
import time

RECORD_BYTES = 16 * 1024 * 1024
JOURNAL_LINES = 20000
ENTRIES_LIMIT = 50000
# Of one kind by one address, and one user where the name is one of ours, in one minute; more are counted.
KEPT_EACH = 20
TEXT_LIMIT = 300
JAIL = "containarium"
BAN_PATIENCE = 15.0
SSH_PORT = 22

NAME = r"([a-z_][a-z0-9_.-]{0,31})"
FROM = r"([0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9_.-]{1,32})?) port ([0-9]{1,5})"
ACCEPTED = re.compile(rf"Accepted publickey for {NAME} from {FROM} ssh2: ([A-Z0-9-]{{2,30}}) (SHA256:[A-Za-z0-9+/]{{43}})")
CLOSED = re.compile(rf"pam_unix\(sshd:session\): session closed for user {NAME}")
UNKNOWN = re.compile(rf"Invalid user (.*) from {FROM}", re.DOTALL)
REFUSED = re.compile(rf"(?:Connection (?:closed|reset) by|Disconnected from) authenticating user {NAME} {FROM} \[preauth\]")
TOO_MANY = re.compile(
    rf"Disconnecting authenticating user {NAME} {FROM}: Too many authentication failures \[preauth\]"
)


def folder(host):
    return f"{host.DATA}/state/audit"


# ------------------------------------------------------------------------------------------------------ files of lines


def iso(seconds):
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def append(host, name, entries):
    """Adds lines, for good. One writer at a time; a line that a power cut left half written is closed first."""
    if not entries:
        return
    if not os.path.isdir(os.path.dirname(folder(host))):
        raise host.Failure("failed", f"{folder(host)} cannot be: the data disk is not there", host.BOOTSTRAP_REMEDY)
    os.makedirs(folder(host), mode=0o700, exist_ok=True)
    path = f"{folder(host)}/{name}.jsonl"
    text = "".join(json.dumps(entry) + "\n" for entry in entries)
    with locked(f"{folder(host)}/.lock"):
        with contextlib.suppress(FileNotFoundError):
            if os.stat(path).st_size > RECORD_BYTES:
                os.rename(path, f"{folder(host)}/{name}.old.jsonl")
        with open(path, "a+b") as file:
            if file.seek(0, os.SEEK_END) > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    text = "\n" + text
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())


@contextlib.contextmanager
def locked(path):
    """Short: not the helper's lock, which whoever changes an account may hold for long."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def entries_of(host, name):
    """All whole lines, oldest first."""
    for file_name in (f"{name}.old.jsonl", f"{name}.jsonl"):
        try:
            with open(f"{folder(host)}/{file_name}", encoding="utf-8", errors="replace") as file:
                for line in file:
                    with contextlib.suppress(ValueError):
                        entry = json.loads(line)
                        if isinstance(entry, dict) and isinstance(entry.get("time"), str):
                            yield entry
        except FileNotFoundError:
            pass


# ----------------------------------------------------------------------------------------------------- logins, failures


def collect(host):
    """Takes what is new in the journal and in fail2ban's memory to the data disk. Can be killed at any point: what was
    taken twice is told apart by its id."""
    with host.own_lock("audit.lock"):
        while collect_some(host) == JOURNAL_LINES:
            pass
        collect_bans(host)


def collect_some(host):
    cursor_file = f"{folder(host)}/cursor"
    cursor = (host.read_text(cursor_file) or "").strip()
    lines = read_journal(host, cursor)
    if lines is None and cursor:
        # A new boot disk has another journal.
        lines = read_journal(host, "")
    records = [record for line in lines or () if (record := parse_record(line)) is not None]
    if not records:
        return 0
    probe = probe_fingerprint(host)
    targets = {account.pw_name: host.read_keys(account.pw_name)[0] for account in host.our_accounts()}
    logins, failures = [], []
    for record in records:
        event = event_of(record)
        if event is None or (probe and event.get("key", "").endswith(" " + probe)):
            continue
        if event["event"] == "failed-login":
            failures.append(event)
            continue
        if event["event"] == "login" and targets.get(event["user"]):
            event["target"] = targets[event["user"]]
        logins.append(event)
    append(host, "logins", merged(logins))
    append(host, "failures", merged(failures))
    host.write_atomically(cursor_file, records[-1]["__CURSOR"] + "\n", 0o600) if os.path.isdir(folder(host)) else None
    return len(lines)


def read_journal(host, cursor):
    """sshd's lines after that one; None when the journal does not know it."""
    argv = ["journalctl", "--no-pager", "-q", "-o", "json", f"--lines=+{JOURNAL_LINES}", "_UID=0"]
    argv += [f"SYSLOG_IDENTIFIER={name}" for name in ("sshd", "sshd-session", "sshd-auth")]
    argv += ["--output-fields=MESSAGE,_PID,_UID"]
    argv += [f"--after-cursor={cursor}"] if cursor else []
    result = host.run(argv, timeout=120)
    return None if result.returncode != 0 else result.stdout.splitlines()


def parse_record(line):
    try:
        record = json.loads(line)
        int(record["__REALTIME_TIMESTAMP"]), int(record["_PID"])
        # Not by the program's name: where it has ended already, the journal does not know it any more.
        return record if record["_UID"] == "0" and isinstance(record["__CURSOR"], str) else None
    except (ValueError, KeyError, TypeError):
        return None


def event_of(record):
    """What the line says; None when it is nothing that we keep."""
    message = record.get("MESSAGE")
    if not isinstance(message, str) or len(message) > 2000:
        return None
    process = f"{record['_BOOT_ID'][:8]}.{record['_PID']}"
    base = {
        "time": iso(int(record["__REALTIME_TIMESTAMP"]) / 1e6),
        "id": f"{process}.{record.get('__MONOTONIC_TIMESTAMP', '')}",
    }
    if match := ACCEPTED.fullmatch(message):
        user, address, port, kind, fingerprint = match.groups()
        key = f"{kind} {fingerprint}"
        return {**base, "event": "login", "user": user, **source(address, port), "key": key, "process": process}
    if match := CLOSED.fullmatch(message):
        return {**base, "event": "logout", "user": match[1], "process": process}
    if match := UNKNOWN.fullmatch(message):
        user, address, port = match.groups()
        return failure(base, user[:100], "unknown user", address, port)
    if match := REFUSED.fullmatch(message):
        return failure(base, match[1], "no accepted key", match[2], match[3])
    if match := TOO_MANY.fullmatch(message):
        return failure(base, match[1], "too many keys", match[2], match[3])
    return None


def failure(base, user, reason, address, port):
    return {**base, "event": "failed-login", "user": user, "reason": reason, **source(address, port)}


def source(address, port):
    """An IPv4 address also where it is written as IPv6."""
    return {"address": plain_address(address), "port": int(port)}


def plain_address(text):
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
        return str(getattr(address, "ipv4_mapped", None) or address)
    except ValueError:
        return text


def merged(events):
    """Keeps the first few alike; the others are counted in the last of these: nobody fills the disk or pushes others out."""
    kept, alike = [], {}
    for event in events:
        known = event["event"] != "failed-login" or event["reason"] != "unknown user"
        group = (event["event"], event["time"][:16], event.get("address"), event["user"] if known else None)
        have = alike.setdefault(group, [])
        if len(have) < KEPT_EACH:
            have.append(event)
            kept.append(event)
        else:
            have[-1]["more"] = have[-1].get("more", 0) + 1
    return kept


def probe_fingerprint(host):
    """The key with which this server itself walks people's ways: no login of theirs."""
    import base64
    import hashlib

    words = (host.read_text(host.PROBE_KEY + ".pub") or "").split()
    if len(words) < 2:
        return None
    digest = hashlib.sha256(base64.b64decode(words[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


# --------------------------------------------------------------------------------------------------------------- asking


def audit_read(host, since, until, user):
    """Logins, failures and operations between two moments, oldest first; the newest ENTRIES_LIMIT of each."""
    collect(host)
    wanted = lambda entry: since <= entry["time"] <= until and user in ("", entry.get("user"))
    ended = {}
    logins, seen = [], set()
    for entry in entries_of(host, "logins"):
        if entry.get("event") == "logout":
            ended[entry.get("process")] = entry["time"]
        elif wanted(entry) and entry.get("id") not in seen:
            seen.add(entry.get("id"))
            logins.append(entry)
    # The same process number comes again one day: an end belongs to the login before it.
    logins = [{**entry, **end_of(entry, ended)} for entry in logins]
    failures = unique(entry for entry in entries_of(host, "failures") if wanted(entry))
    operations = [entry for entry in operations_of(host) if wanted(entry)]
    left_off = sum(max(0, len(entries) - ENTRIES_LIMIT) for entries in (logins, failures, operations))
    events = [shown(entry) for entries in (logins, failures, operations) for entry in entries[-ENTRIES_LIMIT:]]
    return {"events": sorted(events, key=lambda entry: entry["time"]), "leftOff": left_off}


def end_of(login, ended):
    end = ended.get(login.get("process"))
    return {"endedAt": end} if end is not None and end >= login["time"] else {}


def unique(entries):
    return list({entry.get("id"): entry for entry in entries}.values())


def shown(entry):
    return {name: value for name, value in entry.items() if name not in ("id", "process")}


# ---------------------------------------------------------------------------------------------------------- operations


def operation_begin(host, id, operation, user, detail):
    """An operation begins; recorded on its own, so that one that is killed is seen to have no end."""
    entry = {"time": iso(time.time()), "id": id, "event": "begin", "operation": operation}
    entry |= {name: value for name, value in (("user", user), ("detail", detail)) if value}
    append(host, "operations", [{**entry, **caller()}])
    return {}


def operation_end(host, id, result, message):
    entry = {"time": iso(time.time()), "id": id, "event": "end", "result": result}
    append(host, "operations", [entry | ({"message": message} if message else {})])
    return {}


def operations_of(host):
    """Each with its end, if it has one."""
    operations = {}
    for entry in entries_of(host, "operations"):
        if entry.get("event") == "begin":
            operations[entry.get("id")] = {**entry, "event": "operation", "result": "not-ended"}
        elif entry.get("id") in operations:
            end = {"endedAt": entry["time"], "result": entry.get("result")}
            operations[entry["id"]] |= end | ({"message": entry["message"]} if "message" in entry else {})
    return operations.values()


def caller():
    """Who asks: the account that sudo was called from, and the address of its SSH connection, as the kernel and sshd say.

    The environment of our own parents: only root and that account could have changed it.
    """
    by = {"by": os.environ.get("SUDO_USER", "root")}
    address = caller_address()
    return {**by, "address": address} if address else by


def caller_address():
    pid = os.getpid()
    while pid > 1:
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/environ", "rb") as file:
                found = [word for word in file.read().split(b"\0") if word.startswith(b"SSH_CONNECTION=")]
            if found:
                return plain_address(found[0].partition(b"=")[2].split(b" ")[0].decode(errors="replace"))
        pid = parent_of(pid)
    return None


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


# ------------------------------------------------------------------------------------------------------------ sessions


def sessions_list(host):
    """Who is connected now, by the kernel's table of sockets: from where, and to where a forward is open."""
    collect(host)
    accounts = {account.pw_uid: account.pw_name for account in host.our_accounts()}
    sockets = established_sockets()
    keys = {entry.get("process"): entry for entry in entries_of(host, "logins") if entry.get("event") == "login"}
    boot = (host.read_text("/proc/sys/kernel/random/boot_id") or "").replace("-", "")[:8]
    sessions = []
    for pid, uid in processes():
        if uid not in accounts:
            continue
        mine = [sockets[inode] for inode in inodes_of(pid) if inode in sockets]
        incoming = [remote for local, remote in mine if local[1] == SSH_PORT]
        if not incoming:
            continue
        user = accounts[uid]
        forwards = sorted({remote[0] for local, remote in mine if local[1] != SSH_PORT and remote[1] == 22})
        session = {"user": user, "since": iso(started_at(pid)), "address": incoming[0][0], "port": incoming[0][1]}
        target = host.read_keys(user)[0]
        login = keys.get(f"{boot}.{parent_of(pid)}", {})
        session |= {"target": target} if target else {}
        session |= {"key": login["key"]} if login.get("user") == user and "key" in login else {}
        sessions.append({**session, "openTo": forwards})
    # Not the server's own look at somebody's way.
    sessions = [session for session in sessions if not ipaddress.ip_address(session["address"]).is_loopback]
    return {"sessions": sorted(sessions, key=lambda session: (session["user"], session["since"]))}


def established_sockets():
    """{inode: ((local address, port), (remote address, port))}"""
    found = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            with open(table, encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
            for row in rows:
                if row[3] == "01":
                    found[row[9]] = (endpoint(row[1]), endpoint(row[2]))
    return found


def endpoint(text):
    """`0B00580A:0016` of the kernel, whose words are in the machine's own order."""
    digits, _, port = text.partition(":")
    words = [bytes.fromhex(digits[at : at + 8])[::-1] for at in range(0, len(digits), 8)]
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return plain_address(socket.inet_ntop(family, b"".join(words))), int(port, 16)


def processes():
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            yield int(name), os.stat(f"/proc/{name}").st_uid


def inodes_of(pid):
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                if match := re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{name}")):
                    yield match[1]


def started_at(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return time.time()


# ---------------------------------------------------------------------------------------------------------------- bans


def bans_list(host):
    """Who is shut out now. `enforced`: the kernel has it, whatever fail2ban says."""
    jails = running_jails(host)
    table = banned_in_kernel(host)
    until = {(row["jail"], row["address"]): row for row in remembered_bans(host)}
    bans = []
    for jail in jails or []:
        said = host.run(["fail2ban-client", "get", jail, "banip"], timeout=30).stdout.split()
        for address in map(plain_address, said):
            row = until.get((jail, address), {})
            times = {name: row[name] for name in ("since", "until") if name in row}
            bans.append({"address": address, "by": cause(jail), **times, "enforced": address in table.get(jail, ())})
    return {"running": jails is not None, "bans": sorted(bans, key=lambda ban: (ban["address"], ban["by"]))}


def cause(jail):
    return "administrator" if jail == JAIL else jail


def running_jails(host):
    """None when fail2ban does not answer."""
    result = host.run(["fail2ban-client", "status"], timeout=30)
    match = re.search(r"Jail list:\s*(.*)", result.stdout)
    return [name for name in re.split(r"[,\s]+", match[1]) if name] if result.returncode == 0 and match else None


def banned_in_kernel(host):
    """{jail: addresses} of fail2ban's table: only of sets that a rule refuses."""
    result = host.run(["nft", "-j", "list", "table", "inet", "f2b-table"], timeout=30)
    try:
        parts = json.loads(result.stdout)["nftables"] if result.returncode == 0 else []
    except (ValueError, KeyError):
        parts = []
    rules = json.dumps([part["rule"] for part in parts if "rule" in part])
    banned = {}
    for found in (part["set"] for part in parts if "set" in part):
        if match := re.fullmatch(r"addr6?-set-(.+)", found["name"]):
            if f'"@{found["name"]}"' in rules:
                addresses = (str(one.get("elem", {}).get("val", one) if isinstance(one, dict) else one) for one in found.get("elem", []))
                banned.setdefault(match[1], set()).update(map(plain_address, addresses))
    return banned


def remembered_bans(host):
    """What fail2ban wrote down: each ban with its jail, beginning and length. It forgets after days."""
    path = f"{host.DATA}/state/fail2ban.sqlite3"
    if not os.path.exists(path):
        return []
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as database:
            rows = database.execute("SELECT jail, ip, timeofban, bantime FROM bans ORDER BY timeofban").fetchall()
    except sqlite3.Error:
        return []
    return [
        {"jail": str(jail), "address": plain_address(str(ip)), "since": iso(int(begun)), "until": iso(int(begun) + int(length))}
        for jail, ip, begun, length in rows
        if ip and int(length) >= 0
    ]


def collect_bans(host):
    known = {entry.get("id") for entry in entries_of(host, "bans")}
    fresh = {}
    for row in remembered_bans(host):
        id = f"{row['jail']} {row['address']} {row['since']}"
        if id not in known:
            ban = {"address": row["address"], "by": cause(row["jail"]), "until": row["until"]}
            fresh[id] = {"time": row["since"], "id": id, "event": "banned", **ban}
    append(host, "bans", list(fresh.values()))


def bans_history(host, since, until):
    with host.own_lock("audit.lock"):
        collect_bans(host)
    entries = [entry for entry in entries_of(host, "bans") if since <= entry["time"] <= until]
    entries.sort(key=lambda entry: entry["time"])
    return {"history": [shown(entry) for entry in entries[-ENTRIES_LIMIT:]], "leftOff": max(0, len(entries) - ENTRIES_LIMIT)}


def bans_add(host, address, seconds):
    """Bans through a jail of its own, which takes any length and cuts what is open; done when the kernel refuses."""
    refuse_own(host, address)
    need_running(host)
    with host.own_lock("bans.lock"):
        if address in banned_in_kernel(host).get(JAIL, ()):
            client(host, "set", JAIL, "unbanip", address)
        # Its length counts when fail2ban takes the ban up, soon after: nobody else may change it before that.
        client(host, "set", JAIL, "bantime", str(seconds))
        client(host, "set", JAIL, "banip", address)
        wait_for(
            lambda: address in banned_in_kernel(host).get(JAIL, ()), host, f"the firewall does not have the ban of {address}"
        )
        end_sessions_from(host, address)
        with host.own_lock("audit.lock"):
            collect_bans(host)
    return {"address": address, "by": cause(JAIL), "since": iso(time.time()), "until": iso(time.time() + seconds), "enforced": True}


def end_sessions_from(host, address):
    """Its packets are refused already; without this its sessions would last until sshd misses them, after minutes."""
    sockets = established_sockets()
    for pid, uid in processes():
        if uid in host.UID_RANGE:
            mine = (sockets[inode] for inode in inodes_of(pid) if inode in sockets)
            if any(local[1] == SSH_PORT and remote[0] == address for local, remote in mine):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def refuse_own(host, address):
    """Nobody shuts themselves out, or a part of the fleet."""
    config = host.server_config()
    one = ipaddress.ip_address(address)
    never = [ipaddress.ip_network(text, strict=False) for text in config.get("neverBan", [])]
    subnet = host.fleet_subnet()
    why = None
    if one.is_loopback or one.is_unspecified or one.is_multicast:
        why = "is no other machine's"
    elif any(one in network for network in never if network.version == one.version):
        why = "is one of containarium:neverBan"
    elif address == caller_address():
        why = "is your own"
    elif address in administrators_addresses(host, config.get("admin", {}).get("user")):
        why = "is where an administrator is logged in from"
    elif one.version == 4 and subnet and host.server_id_at(address) is not None:
        why = "is a server's of this fleet"
    elif one.version == 4 and one in host.container_subnet():
        why = "is a container's"
    if why:
        raise host.Failure("conflict", f"{address} {why}: it is not banned", "Nothing was changed.")


def administrators_addresses(host, admin):
    try:
        uid = host.pwd.getpwnam(admin).pw_uid
    except (KeyError, TypeError):
        return set()
    sockets = established_sockets()
    mine = (sockets[inode] for pid, owner in processes() if owner == uid for inode in inodes_of(pid) if inode in sockets)
    return {remote[0] for local, remote in mine if local[1] == SSH_PORT}


def need_running(host):
    if running_jails(host) is None:
        raise host.Failure("failed", "fail2ban does not run", "Start it:\n  sudo systemctl restart fail2ban")


def bans_remove(host, address):
    need_running(host)
    held = {jail for jail, addresses in banned_in_kernel(host).items() if address in addresses}
    said = client(host, "unban", address).strip()
    if said == "0" and not held:
        return {"removed": False}
    wait_for(
        lambda: not any(address in addresses for addresses in banned_in_kernel(host).values()),
        host,
        f"the firewall keeps the ban of {address}",
    )
    append(host, "bans", [{"time": iso(time.time()), "event": "lifted", "address": address, "by": cause(JAIL)}])
    return {"removed": True}


def client(host, *words):
    return host.run_or_fail(["fail2ban-client", *words], timeout=30).stdout


def wait_for(condition, host, otherwise):
    deadline = time.monotonic() + BAN_PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise host.Failure("failed", otherwise, "Look what fail2ban says:\n  sudo journalctl -u fail2ban -n 20")
        time.sleep(0.1)


# ------------------------------------------------------------------------------------------------------- checking input


def parse_time(host):
    def parse(value):
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value):
            raise host.invalid(f"{host.show(value)} is not a time as 2026-11-27T10:00:00.000Z")
        return value

    return parse


def parse_user_or_nobody(host):
    return lambda value: value if value == "" else host.parse_user(value)


def parse_ban_address(host):
    def parse(value):
        try:
            address = plain_address(str(ipaddress.ip_address(value))) if isinstance(value, str) else None
        except ValueError:
            address = None
        if address is None or "%" in value:
            raise host.invalid(f"{host.show(value)} is not an address", "One IPv4 or IPv6 address, for example 203.0.113.9")
        return address

    return parse


def parse_seconds(host):
    def parse(value):
        if isinstance(value, bool) or not isinstance(value, int) or not 60 <= value <= 400 * 86400:
            raise host.invalid(f"seconds is {host.show(value)}; it must be 60 to {400 * 86400}")
        return value

    return parse


def parse_id(host):
    def parse(value):
        if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f-]{36}", value):
            raise host.invalid(f"{host.show(value)} is not the id of an operation")
        return value

    return parse


def parse_text(host):
    def parse(value):
        if not isinstance(value, str):
            raise host.invalid(f"{host.show(value)} is not a text")
        return " ".join("".join(one if one.isprintable() else " " for one in value).split())[:TEXT_LIMIT]

    return parse


def parse_word(host, *words):
    def parse(value):
        if not isinstance(value, str) or (value not in words if words else not re.fullmatch(r"[a-z][a-z -]{0,30}", value)):
            raise host.invalid(f"{host.show(value)} is not " + (" or ".join(words) or "the name of an operation"))
        return value

    return parse


def operations(host):
    """What there is, as OPERATIONS of the host helper has it."""
    span = {"since": parse_time(host), "until": parse_time(host)}
    begin = {"id": parse_id(host), "operation": parse_word(host), "user": parse_user_or_nobody(host), "detail": parse_text(host)}
    end = {"id": parse_id(host), "result": parse_word(host, "done", "failed", "interrupted"), "message": parse_text(host)}
    address = {"address": parse_ban_address(host)}
    return {
        "audit.read": (audit_read, {**span, "user": parse_user_or_nobody(host)}),
        "audit.begin": (operation_begin, begin),
        "audit.end": (operation_end, end),
        "sessions.list": (sessions_list, {}),
        "bans.list": (bans_list, {}),
        "bans.history": (bans_history, span),
        "bans.add": (bans_add, {**address, "seconds": parse_seconds(host)}),
        "bans.remove": (bans_remove, address),
    }
