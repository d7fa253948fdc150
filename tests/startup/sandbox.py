"""Runs the host helper with everything it would change redirected: `sandbox.py HELPER ROOT`, request on stdin; with
`--each` behind, stdin is a JSON array of texts, each of which the helper gets as a request of its own; `serve` is the helper's own argument. With `--fleet FLEET
OPTIONS` the fleet's service runs on it instead, at the server's own address.

Below ROOT lie its files; passwd and group are ROOT/etc/passwd and group, and useradd and the like are imitated on them.
ROOT/calls gets one JSON array a line for each program started and each sleep. ROOT/failures.json may hold a list of
{"program", "status", "stderr", "times"}: that program fails so often, with that message.
"""

import asyncio
import importlib.machinery
import importlib.util
import io
import json
import os
import subprocess
import sys
import types

helper_path, root = sys.argv[1:3]
sys.dont_write_bytecode = True


def load(name, path):
    loader = importlib.machinery.SourceFileLoader(name, path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


helper = sys.modules["containarium_host"] = load("containarium_host", helper_path)
helper.LIBRARY = os.path.dirname(os.path.abspath(helper_path))


def entries(name, fields):
    with open(f"{root}/etc/{name}", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split(":") for line in file]
    return [types.SimpleNamespace(**dict(zip(fields, row))) for row in rows]


def users():
    found = entries("passwd", ["pw_name", "_", "pw_uid", "pw_gid", "_", "pw_dir", "pw_shell"])
    for entry in found:
        entry.pw_uid, entry.pw_gid = int(entry.pw_uid), int(entry.pw_gid)
    return found


def one(found, attribute, name):
    for entry in found:
        if getattr(entry, attribute) == name:
            return entry
    raise KeyError(name)


def find_group(name):
    entry = one(entries("group", ["gr_name", "_", "gr_gid"]), "gr_name", name)
    entry.gr_gid = int(entry.gr_gid)
    return entry


def record(call):
    with open(f"{root}/calls", "a", encoding="utf-8") as file:
        file.write(json.dumps(call) + "\n")


def scripted_failure(program):
    path = f"{root}/failures.json"
    failures = json.load(open(path, encoding="utf-8")) if os.path.exists(path) else []
    for failure in failures:
        if failure["program"] == program and failure["times"] > 0:
            failure["times"] -= 1
            with open(path, "w", encoding="utf-8") as file:
                json.dump(failures, file)
            return subprocess.CompletedProcess([program], failure["status"], "", failure["stderr"])
    return None


def edit(name, change):
    path = f"{root}/etc/{name}"
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in change(lines))


def useradd(argv):
    low = next(int(word.partition("=")[2]) for word in argv if word.startswith("UID_MIN="))
    uid = max([entry.pw_uid + 1 for entry in users() if low <= entry.pw_uid < 80000], default=low)
    gid = find_group(argv[argv.index("--gid") + 1]).gr_gid
    home, shell = argv[argv.index("--home-dir") + 1], argv[argv.index("--shell") + 1]
    edit("passwd", lambda lines: [*lines, f"{argv[-1]}:x:{uid}:{gid}::{home}:{shell}"])
    set_password(argv)


def set_password(argv):
    others = lambda lines: [line for line in lines if line.split(":")[0] != argv[-1]]
    edit("shadow", lambda lines: [*others(lines), f"{argv[-1]}:{argv[argv.index('--password') + 1]}:1::::::"])


def usermod(argv):
    shell = argv[argv.index("--shell") + 1]
    mended = lambda line: line.rpartition(":")[0] + ":" + shell if line.split(":")[0] == argv[-1] else line
    edit("passwd", lambda lines: [mended(line) for line in lines])
    set_password(argv)


def userdel(argv):
    for name in ("passwd", "shadow"):
        edit(name, lambda lines: [line for line in lines if line.split(":")[0] != argv[-1]])


def groupadd(argv):
    edit("group", lambda lines: [*lines, f"{argv[-1]}:x:996:"])


def ssh_keygen(argv):
    if "-f" in argv and "-N" in argv:
        subprocess.run(argv, check=True)




def journalctl(argv):
    """ROOT/journal: one record a line, each with its __CURSOR."""
    path = f"{root}/journal"
    lines = open(path, encoding="utf-8").read().splitlines() if os.path.exists(path) else []
    after = next((word.partition("=")[2] for word in argv if word.startswith("--after-cursor=")), None)
    if after is not None:
        cursors = [json.loads(line)["__CURSOR"] for line in lines]
        if after not in cursors:
            return subprocess.CompletedProcess(argv, 1, "", "Failed to seek to cursor: Invalid argument")
        lines = lines[cursors.index(after) + 1 :]
    count = next(int(word.partition("=+")[2]) for word in argv if word.startswith("--lines=+"))
    return subprocess.CompletedProcess(argv, 0, "".join(line + "\n" for line in lines[:count]), "")


def fail2ban_client(argv):
    """ROOT/bans.json: {jail: [address]}; without it, fail2ban does not run."""
    path = f"{root}/bans.json"
    if not os.path.exists(path):
        return subprocess.CompletedProcess(argv, 255, "", "Failed to access socket path")
    jails = json.load(open(path, encoding="utf-8"))
    said = ""
    if argv[1] == "status":
        said = f"Status\n|- Number of jail:\t{len(jails)}\n`- Jail list:\t{', '.join(jails)}\n"
    elif argv[1] == "get":
        said = " ".join(jails[argv[2]]) + "\n"
    elif argv[1] == "unban":
        said = f"{sum(argv[2] in jail for jail in jails.values())}\n"
        jails = {name: [one for one in jail if one != argv[2]] for name, jail in jails.items()}
    elif argv[3] == "banip":
        jails[argv[2]].append(argv[4])
    json.dump(jails, open(path, "w", encoding="utf-8"))
    return subprocess.CompletedProcess(argv, 0, said, "")


def nft(argv):
    """Has exactly fail2ban's bans, unless ROOT/firewall-is-deaf is there."""
    if argv[1] != "-j":
        return None
    path = f"{root}/bans.json"
    jails = json.load(open(path, encoding="utf-8")) if os.path.exists(path) else {}
    deaf = os.path.exists(f"{root}/firewall-is-deaf")
    sets = [{"set": {"name": f"addr-set-{name}", "elem": [] if deaf else jail}} for name, jail in jails.items()]
    rules = [{"rule": {"expr": [{"match": {"right": f"@addr-set-{name}"}}]}} for name in jails]
    return subprocess.CompletedProcess(argv, 0, json.dumps({"nftables": sets + rules}), "")


def run(argv, **options):
    record([*argv, options["input"]] if "input" in options else argv)
    failed = scripted_failure(argv[0])
    if failed:
        return failed
    answered = IMITATIONS[argv[0]](argv) if argv[0] in IMITATIONS else None
    return answered or subprocess.CompletedProcess(argv, 0, "", "")


IMITATIONS = {
    **{"useradd": useradd, "usermod": usermod, "userdel": userdel, "groupadd": groupadd, "ssh-keygen": ssh_keygen},
    **{"journalctl": journalctl, "fail2ban-client": fail2ban_client, "nft": nft},
}


for name, value in list(vars(helper).items()):
    if name.isupper() and isinstance(value, str) and value.startswith(("/etc", "/srv", "/run", "/var", "/sys")):
        setattr(helper, name, root + value)
if os.path.exists(f"{root}/ssh-port"):
    helper.SSH_PORT = int(open(f"{root}/ssh-port", encoding="ascii").read())
helper.FILE_LOCKS = [root + path for path in helper.FILE_LOCKS]
helper.pwd = types.SimpleNamespace(getpwnam=lambda name: one(users(), "pw_name", name), getpwall=users)
helper.grp = types.SimpleNamespace(getgrnam=find_group)
helper.run = run
helper.end_logins = lambda user: record(["end_logins", user])
helper.end_processes = lambda uid: record(["end_processes", uid])
helper.is_spot = lambda: True
helper.later = lambda action: action()
helper.end_machine = lambda ends: record(["end_machine", ends])
helper.os = types.SimpleNamespace(**{**vars(os), "geteuid": lambda: 0})
helper.time = types.SimpleNamespace(**{**vars(helper.time), "sleep": lambda seconds: record(["sleep", seconds])})
if sys.argv[3:] == ["--each"]:
    for text in json.load(sys.stdin):
        helper.respond(io.BytesIO(text.encode()))
    sys.exit(0)
if sys.argv[3:4] == ["--fleet"]:
    fleet = load("containarium_fleet", sys.argv[4])
    fleet.LISTEN, fleet.MOUNTS = helper.server_address(helper.own_id()), []
    for name, value in json.loads(sys.argv[5]).items():
        setattr(fleet, name, value)
    asyncio.run(fleet.serve(helper))
    os._exit(0)
sys.exit(helper.main(sys.argv[3:]))
