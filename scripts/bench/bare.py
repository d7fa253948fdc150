"""The bare parts, on the server itself: Incus by its socket, and nothing of ours. Prints JSON; times are in milliseconds.

create NAME ADDRESS FINGERPRINT     copy, start, until SSH greets
bulk PREFIX COUNT WORKERS FINGERPRINT FIRST-ADDRESS
requests COUNT                      one warm connection: the median of GET /1.0
records COUNT FINGERPRINT           stopped containers that look like ours
comeback                            stops all and Incus; from then until all that ran greet again
memory NAME...                      what each uses, in MB, without what the kernel could drop
remove PREFIX
"""

import concurrent.futures
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import time

SOCKET = "/var/lib/incus/unix.socket"


class Connection(http.client.HTTPConnection):
    def __init__(self):
        super().__init__("incus", timeout=120)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


def ask(connection, method, path, body=None):
    connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    if answer["type"] == "error":
        raise SystemExit(answer["error"])
    if answer["type"] != "async":
        return answer["metadata"]
    connection.request("GET", f"{answer['operation']}/wait")
    done = json.loads(connection.getresponse().read())["metadata"]
    if done["status_code"] != 200:
        raise SystemExit(done["err"])
    return done


def greets(address):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((address, 22), 1) as stream:
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
    connection, began = Connection(), time.monotonic()
    ask(connection, "POST", "/1.0/instances", body(name, address, fingerprint))
    owner(connection, name)
    copied = time.monotonic()
    ask(connection, "PUT", f"/1.0/instances/{name}/state", {"action": "start"})
    started = time.monotonic()
    greets(address)
    ended = time.monotonic()
    parts = {"copy": copied - began, "start": started - copied, "boot": ended - started}
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
    """Their stop is not counted; the boot of the machine is no part of it."""
    connection = Connection()
    running = [i for i in ask(connection, "GET", "/1.0/instances?recursion=1") if i["status"] == "Running"]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda instance: switch(instance["name"], "stop"), running))
    subprocess.run(["systemctl", "stop", "incus.service", "incus.socket"], check=True)
    began = time.monotonic()
    subprocess.run(["systemctl", "start", "incus.socket", "incus.service"], check=True)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda instance: switch(instance["name"], "start"), running))
    for instance in running:
        greets(instance["devices"]["eth0"]["ipv4.address"])
    return {"total": 1000 * (time.monotonic() - began), "people": len(running)}


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


def remove(prefix):
    connection = Connection()
    for instance in ask(connection, "GET", "/1.0/instances?recursion=1"):
        if not instance["name"].startswith(prefix):
            continue
        if instance["status"] == "Running":
            switch(instance["name"], "stop")
        ask(connection, "DELETE", f"/1.0/instances/{instance['name']}")
    return {}


operations = {f.__name__: f for f in (create, bulk, requests, records, comeback, memory, remove)}
print(json.dumps(operations[sys.argv[1]](*sys.argv[2:])))
