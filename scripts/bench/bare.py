"""The bare parts, on the server itself: Incus by its socket, and nothing of ours. Prints JSON; times are in milliseconds.

create NAME ADDRESS FINGERPRINT     copy, start, until SSH greets
bulk PREFIX COUNT WORKERS FINGERPRINT FIRST-ADDRESS
requests COUNT                      one warm connection: the median of GET /1.0
records COUNT FINGERPRINT           stopped containers that look like ours
comeback                            ends all, Incus and its file system; from then until all that ran greet again
boot                                how long units took that this boot's people waited for
memory NAME...                      what each uses, in MB, without what the kernel could drop
remove PREFIX...
"""

import concurrent.futures
import fcntl
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import time

SOCKET = "/var/lib/incus/unix.socket"
DISK = "/srv/containarium"
# Seconds.
PAUSE = 0.02


class Connection(http.client.HTTPConnection):
    def __init__(self):
        super().__init__("incus", timeout=120)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


class Refused(Exception):
    """Incus' word that it does not."""


def ask(connection, method, path, body=None):
    answer = once(connection, method, path, body)
    if answer["type"] != "async":
        return answer["metadata"]
    done = once(connection, "GET", f"{answer['operation']}/wait")["metadata"]
    if done["status_code"] != 200:
        raise Refused(f"{method} {path}: {done['err']}")
    return done


def once(connection, method, path, body=None):
    connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    if answer["type"] == "error":
        raise Refused(f"{method} {path}: {answer['error']}")
    return answer


def greets(address):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            # Who waits longer for one that has no address yet learns only after a second that it has one.
            with socket.create_connection((address, 22), 0.05) as stream:
                stream.settimeout(1)
                if stream.recv(4) == b"SSH-":
                    return
        except OSError:
            pass
        time.sleep(0.01)
    raise SystemExit(f"no SSH from {address} in two minutes")


def owner(connection, name):
    """Without it the golden image makes no host key, and its sshd does not start."""
    for path, kind, content in (("/etc/containarium", "directory", b""), ("/etc/containarium/user.json", "file", b'{"user":"bench","docker":true}\n')):
        connection.request("POST", f"/1.0/instances/{name}/files?path={path}", content, {"X-Incus-type": kind, "X-Incus-mode": "0755"})
        connection.getresponse().read()


def body(name, address, fingerprint, config=None):
    nic = {"type": "nic", "name": "eth0", "network": "incusbr0", "ipv4.address": address}
    root = {"type": "disk", "path": "/", "pool": "default", "size": "2GB"}
    limits = {"limits.memory": "512MiB", "security.idmap.isolated": "true", "security.nesting": "true"}
    source = {"type": "image", "fingerprint": fingerprint}
    return {"name": name, "type": "container", "profiles": [], "source": source, "config": {**limits, **(config or {})},
            "devices": {"eth0": nic, "root": root}}


def create(name, address, fingerprint):
    os.sync()
    connection, began = Connection(), time.monotonic()
    ask(connection, "POST", "/1.0/instances", body(name, address, fingerprint))
    copied = time.monotonic()
    owner(connection, name)
    written = time.monotonic()
    # Incus answers before it has closed the file, and who is started in that millisecond now and then starts a second late. Not counted.
    time.sleep(PAUSE)
    ask(connection, "PUT", f"/1.0/instances/{name}/state", {"action": "start"})
    started = time.monotonic() - PAUSE
    greets(address)
    ended = time.monotonic() - PAUSE
    parts = {"copy": copied - began, "files": written - copied, "start": started - written, "boot": ended - started}
    return {"total": 1000 * (ended - began), "parts": {part: 1000 * value for part, value in parts.items()}}


def bulk(prefix, count, workers, fingerprint, first):
    head, last = first.rsplit(".", 1)
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(int(workers)) as pool:
        jobs = [pool.submit(create, f"{prefix}{n}", f"{head}.{int(last) + n}", fingerprint) for n in range(int(count))]
        for job in jobs:
            job.result()
    return {"total": 1000 * (time.monotonic() - began)}


def requests(count):
    connection, times = Connection(), []
    for _ in range(int(count)):
        began = time.monotonic()
        ask(connection, "GET", "/1.0")
        times.append(1000 * (time.monotonic() - began))
    return {"total": statistics.median(times)}


def records(count, fingerprint):
    connection = Connection()
    for number in range(int(count)):
        user = f"bench-record-{number}"
        ours = {"schema": "1", "user": user, "state": "ready", "keys": "[]", "docker": "true", "image": "debian/13",
                "created-at": "2026-01-01T00:00:00.000Z", "created-by": "bench", "host-keys": "[]"}
        config = {f"user.containarium.{key}": value for key, value in ours.items()}
        ask(connection, "POST", "/1.0/instances", body(f"{user}-container", f"10.0.3.{100 + number % 90}", fingerprint, config))
    return {}


def comeback():
    """What a boot brings back, without the boot: the file system, Incus, and the containers, which Incus starts by itself."""
    connection = Connection()
    running = [i for i in ask(connection, "GET", "/1.0/instances?recursion=1") if i["status"] == "Running"]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda instance: end(instance["name"]), running))
    # All that have a file open there.
    others = ["fail2ban.service", "containarium-fleet.service"]
    incus = ["incus.socket", "incus.service"]
    device = subprocess.run(["findmnt", "-no", "SOURCE", DISK], check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run(["systemctl", "stop", *incus, *others], check=True)
    subprocess.run(["pkill", "-f", "^dnsmasq .*incusbr0"], check=False)
    try:
        for folder in ("/var/lib/incus", DISK):
            subprocess.run(["umount", "-R", folder], check=True)
    finally:
        began = time.monotonic()
        if not os.path.ismount(DISK):
            subprocess.run(["mount", "-t", "btrfs", "-o", "noatime,compress=lzo,user_subvol_rm_allowed", device, DISK], check=True)
        if not os.path.ismount("/var/lib/incus"):
            subprocess.run(["mount", "--bind", f"{DISK}/incus", "/var/lib/incus"], check=True)
        mounted = time.monotonic()
        subprocess.run(["systemctl", "start", *incus], check=True)
        up = time.monotonic()
        subprocess.run(["systemctl", "start", "--no-block", *others], check=True)
    for instance in running:
        greets(instance["devices"]["eth0"]["ipv4.address"])
    ended = time.monotonic()
    parts = {"file system": mounted - began, "Incus": up - mounted, "containers": ended - up}
    return {"total": 1000 * (ended - began), "people": len(running), "parts": {part: 1000 * value for part, value in parts.items()}}


def boot():
    parts = {}
    for name, unit in (("disk", "containarium-disk"), ("Incus", "incus"), ("startup", "containarium-startup")):
        command = ["systemctl", "show", unit, "-p", "InactiveExitTimestampMonotonic", "-p", "ActiveEnterTimestampMonotonic"]
        rows = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        began, active = (int(dict(row.split("=") for row in rows)[key]) for key in (command[4], command[6]))
        parts[f"boot: {name}"] = (active - began) / 1000
    return {"parts": parts}


def end(name):
    """To Incus it then is one that ran when its server died, and that it starts again."""
    switch(name, "stop")
    ask(Connection(), "PATCH", f"/1.0/instances/{name}", {"config": {"volatile.last_state.power": "RUNNING"}})


def switch(name, action):
    ask(Connection(), "PUT", f"/1.0/instances/{name}/state", {"action": action, "force": action == "stop"})


def memory(*names):
    connection = Connection()
    used = []
    for name in names:
        pid = ask(connection, "GET", f"/1.0/instances/{name}/state")["pid"]
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
            rows = [line.strip().split(":") for line in file]
        joint = next((row[2] for row in rows if row[1] == "memory"), None)
        base = f"/sys/fs/cgroup/memory{joint}" if joint else "/sys/fs/cgroup" + rows[0][2]
        base = base.split("/init.scope")[0]
        with open(f"{base}/memory.stat", encoding="ascii") as file:
            stat = {key: int(value) for key, value in (line.split() for line in file)}
        # Files that can be read again are not counted; what the kernel holds for it is.
        anonymous = stat.get("total_rss", stat.get("anon", 0)) + stat.get("total_shmem", stat.get("shmem", 0))
        kernel = stat.get("kernel", 0)
        if os.path.exists(f"{base}/memory.kmem.usage_in_bytes"):
            with open(f"{base}/memory.kmem.usage_in_bytes", encoding="ascii") as file:
                kernel = int(file.read())
        used.append((anonymous + kernel) / 1e6)
    return {"each": used}


def remove(*prefixes):
    connection = Connection()
    for instance in ask(connection, "GET", "/1.0/instances?recursion=1"):
        if not instance["name"].startswith(prefixes):
            continue
        if instance["status"] == "Running":
            switch(instance["name"], "stop")
        ask(connection, "DELETE", f"/1.0/instances/{instance['name']}")
    settle()
    return {}


def settle():
    """What was deleted is taken apart in the background, for many seconds: the next to be measured would pay for it."""
    # The first wakes who does it, who else sleeps for half a minute.
    for command in ("filesystem", "subvolume"):
        subprocess.run(["btrfs", command, "sync", DISK], check=False, timeout=300, stdout=subprocess.DEVNULL)
    os.sync()


# Who was killed leaves one of these running, to its end: the next waits for that.
lock = open("/run/containarium-bench.lock", "w", encoding="ascii")
fcntl.flock(lock, fcntl.LOCK_EX)
operations = {f.__name__: f for f in (create, bulk, requests, records, comeback, boot, memory, remove)}
print(json.dumps(operations[sys.argv[1]](*sys.argv[2:])))
