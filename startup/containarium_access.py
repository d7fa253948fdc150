"""What `containarium-ops verify-access` tries on a server. The host helper loads this file and calls `verify`.

Everything is really tried as that account: with ssh, by the server's own key, which logs in from loopback alone (the first
layer), and by sockets of the account's uid, as forwarded connections are (the second layer). A refusal counts only when
it is known whose it is: sshd says so, the kernel counts it. "Connection refused" is no refusal of ours: it says that the
way was open and nobody listened.
"""

import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

AT_ONCE = 6
SECONDS = 10
UNAVAILABLE = "This account is currently not available."
PROHIBITED = "administratively prohibited"
# An address of RFC 5737: the internet, without anybody in it.
INTERNET = "192.0.2.1"
METADATA = "169.254.169.254"

# What a connection comes to, as the uid that runs this.
CONNECT = """
import errno, socket, sys
place = sys.argv[1]
family = socket.AF_UNIX if place[0] == "/" else socket.AF_INET6 if ":" in place else socket.AF_INET
with socket.socket(family) as one:
    one.settimeout(2)
    try:
        one.connect(place if place[0] == "/" else (place, int(sys.argv[2])))
        print("open")
    except OSError as error:
        print(errno.errorcode.get(error.errno, "no answer"))
"""


def verify(host, user):
    account = host.find_account(user)
    target = host.read_keys(user)[0] if account else None
    if target is None:
        raise host.Failure("not-found", f"there is no jump account {user}")
    known_hosts = f"{host.RUN}/probe_known_hosts"
    os.makedirs(host.RUN, mode=0o755, exist_ok=True)
    host.write_known_hosts(known_hosts)
    attempts = Attempts(host, account, known_hosts)
    subnet = host.fleet_subnet()
    return {"attempts": attempts.all(target), **({"fleetSubnet": str(subnet)} if subnet else {})}


class Attempts:
    def __init__(self, host, account, known_hosts):
        self.host, self.account, self.known_hosts = host, account, known_hosts

    def all(self, target):
        own = self.opens(f"{target}:22, the own container", target, 22, allowed=True)
        first = own()
        if not first["ok"] and first["result"].startswith("the login failed"):
            # Nothing else can be tried then, and nothing was proven.
            return [first]
        tries = [self.opens(f"{address}:{port}, {what}", address, port) for address, port, what in self.places(target)]
        tries += [self.listens_on_a_port, self.listens_on_a_socket, self.reads_a_socket, self.shell, self.command, self.sftp]
        tries += [self.terminal, self.display, self.agent, self.tunnel]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            results = [first, *pool.map(lambda attempt: attempt(), tries)]
        # One after the other: whether the kernel's rule refused is seen in what it has counted.
        results += [self.in_kernel(target, 22, "the own container", allowed=True)]
        results += [self.in_kernel(address, port, what) for address, port, what in self.places(target)]
        return results

    def places(self, target):
        """(address, port, what is there): all that an account must not reach."""
        host = self.host
        yield target, 80, "another port of the own container"
        others = {"here": str(host.container_subnet().network_address + 199)}
        for account in host.our_accounts():
            other = host.read_keys(account.pw_name)[0]
            if other and other != target:
                others[host.home_of(other)] = other
        for home, other in sorted(others.items()):
            yield other, 22, "another container" + (" of this server" if home == "here" else f" on {home}")
        yield "127.0.0.1", 22, "this server's sshd"
        yield "::1", 22, "this server's sshd"
        yield "127.0.0.1", host.FLEET_PORT, "the fleet's service"
        yield "127.0.0.1", 8443, "Incus over the network"
        for address in self.own_addresses():
            yield address, 22, "this server"
        yield str(host.container_subnet().network_address + 1), 53, "this server's names"
        for peer in host.kept_ids() if host.fleet_subnet() else []:
            yield host.server_address(peer), 22, host.server_name(peer)
            yield host.server_address(peer), host.FLEET_PORT, f"the fleet's service of {host.server_name(peer)}"
        yield METADATA, 80, "the cloud's metadata"
        yield INTERNET, 80, "the internet"

    def own_addresses(self):
        links = json.loads(self.host.run_or_fail(["ip", "-j", "-4", "address", "show", "scope", "global"]).stdout)
        return sorted({one["local"] for link in links for one in link.get("addr_info", [])})

    # --------------------------------------------------------------------------------------------- the first layer

    def opens(self, what, address, port, allowed=False):
        def attempt():
            place = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
            with self.started(["-W", place]) as process:
                said = self.host.first_line(process.stdout, SECONDS)
                process.kill()
                errors = process.stderr.read().decode(errors="replace")
            return self.result(f"open {what}", "open" if allowed else "refused by sshd", forwarded(said, errors))

        return attempt

    def listens_on_a_port(self):
        return self.forwards_back("listen on a port here (-R)", "0:127.0.0.1:22")

    def listens_on_a_socket(self):
        with folder(self.host) as place:
            return self.forwards_back("listen on a unix socket here (-R)", f"{place}/listening:127.0.0.1:22")

    def forwards_back(self, what, forward):
        code, _, errors = self.finished(["-N", "-o", "ExitOnForwardFailure=yes", "-R", forward])
        refused = code == 255 and "remote port forwarding failed" in errors
        return self.result(what, "refused by sshd", "refused by sshd" if refused else not_refused(code, errors))

    def reads_a_socket(self):
        """A stand-in that answers this uid: the sockets that matter are closed to it anyway."""
        with folder(self.host) as place, listening(f"{place}/there"):
            answers = self.connects(f"{place}/there") == "open"
            here = f"{place}/here"
            with self.started(["-N", "-L", f"{here}:{place}/there"]) as process:
                answer = ask_socket(here)
                process.kill()
                errors = process.stderr.read().decode(errors="replace")
        refused = answers and not answer and "open failed" in errors
        result = "refused by sshd" if refused else "open" if answer else not_refused(0, errors)
        return self.result("read a unix socket here (-L)", "refused by sshd", result)

    def shell(self):
        return self.session("a shell", ["-T"], [])

    def command(self):
        return self.session("a command", ["-T"], ["id"])

    def sftp(self):
        return self.session("files (sftp)", ["-s"], ["sftp"])

    def session(self, what, flags, words):
        code, said, errors = self.finished(flags, words)
        refused = code == 1 and said.strip() == UNAVAILABLE
        return self.result(what, "refused by sshd", "refused by sshd" if refused else not_refused(code, said or errors))

    def terminal(self):
        return self.asks_for("a terminal", ["-tt"], "PTY allocation request failed")

    def display(self):
        return self.asks_for("X11", ["-Y", "-T"], "X11 forwarding request failed")

    def asks_for(self, what, flags, refusal):
        code, said, errors = self.finished(flags)
        result = "refused by sshd" if refusal in errors else not_refused(code, errors or said)
        return self.result(what, "refused by sshd", result)

    def agent(self):
        """ssh asks for it without wanting an answer, and no program of theirs runs that could see it."""
        return self.result("the agent", "refused by sshd", self.configured("allowagentforwarding", "agent-forwarding"))

    def tunnel(self):
        _, _, errors = self.finished(["-N", "-w", "any:any", "-o", "ExitOnForwardFailure=yes"])
        if "Tunnel device open failed" in errors:
            # This server cannot make such a device itself.
            result = self.configured("permittunnel", "tunnel")
        else:
            refused = "Tunnel forwarding failed" in errors and "open failed" in errors
            result = "refused by sshd" if refused else not_refused(0, errors)
        return self.result("a network device (tun)", "refused by sshd", result)

    def configured(self, setting, option):
        name = self.account.pw_name
        holds = self.host.run_or_fail(["sshd", "-T", "-C", f"user={name},host=localhost,addr=127.0.0.1"]).stdout
        keys = self.host.read_text(self.host.keys_path(name)) or ""
        lines = [line for line in keys.splitlines() if line.strip()]
        restricted = all("restrict," in line and option not in line.split('"')[0] for line in lines)
        closed = f"\n{setting} no\n" in f"\n{holds}"
        if closed or restricted:
            return "refused by sshd"
        return f"open: {setting} is not no, and a key does not restrict it"

    def command_line(self, flags):
        return self.host.probe_command(self.account.pw_name, self.known_hosts, SECONDS, flags)

    def started(self, flags):
        pipe = subprocess.PIPE
        return subprocess.Popen(self.command_line(flags), stdin=pipe, stdout=pipe, stderr=pipe, env=environment())

    def finished(self, flags, words=()):
        """(exit code, output, errors); what lasts until the limit was not refused."""
        argv = [*self.command_line(flags), *words]
        try:
            run = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, env=environment(), check=False
            )
        except subprocess.TimeoutExpired:
            return None, "", ""
        return run.returncode, run.stdout.decode(errors="replace"), run.stderr.decode(errors="replace")

    # -------------------------------------------------------------------------------------------- the second layer

    def in_kernel(self, address, port, what, allowed=False):
        before = self.counted()
        said = self.connects(address, port)
        refused = self.counted() > before and said in ("EHOSTUNREACH", "EACCES", "EPERM")
        if refused:
            result = "refused by the kernel"
        elif said in ("ENETUNREACH", "EADDRNOTAVAIL"):
            result = "no way there"
        else:
            result = {"open": "open", "ECONNREFUSED": "let through; nobody listens"}.get(said, f"let through; {said}")
        expected = "open" if allowed else "refused by the kernel"
        shown = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        return self.result(f"past sshd: {shown}, {what}", expected, result)

    def connects(self, *place):
        uid, gid = self.account.pw_uid, self.account.pw_gid
        argv = [sys.executable, "-I", "-c", CONNECT, *map(str, place)]
        return self.host.run(argv, user=uid, group=gid, extra_groups=[], timeout=SECONDS).stdout.strip()

    def counted(self):
        said = self.host.run(["nft", "list", "counter", "inet", "containarium", "jump_refused"]).stdout
        match = re.search(r"packets (\d+)", said)
        return int(match[1]) if match else 0

    @staticmethod
    def result(what, expected, result):
        ok = result == expected or (expected != "open" and result == "no way there")
        return {"attempt": what, "expected": expected, "result": result, "ok": ok}


def environment():
    # The display is one that nobody has; without any, ssh would not even ask for X11.
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "DISPLAY": ":99"}


def forwarded(said, errors):
    """What became of an attempt to open a place, by what came back and what ssh says."""
    if said:
        return "open"
    if PROHIBITED in errors:
        return "refused by sshd"
    if "Permission denied (" in errors or "verification failed" in errors:
        return f"the login failed: {last_line(errors)}"
    if "Connection refused" in errors:
        return "let through by sshd; nobody listens"
    if "No route to host" in errors or "Permission denied" in errors:
        return "let through by sshd, not by the kernel"
    return f"let through by sshd; {last_line(errors)}"


def not_refused(code, text):
    return "open" if code in (0, None) and not text.strip() else f"not refused: {last_line(text)}"


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = lines[-1] if lines else "no answer"
    return "".join(letter if letter.isprintable() else "?" for letter in line)[:100]


@contextlib.contextmanager
def folder(host):
    """A place that the account may enter, and its sockets."""
    place = tempfile.mkdtemp(prefix="access-", dir=host.RUN)
    os.chmod(place, 0o777)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def listening(path):
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    os.chmod(path, 0o666)
    server.listen()

    def serve():
        with contextlib.suppress(OSError):
            while True:
                one, _ = server.accept()
                with one:
                    one.sendall(b"open\n")

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield
    finally:
        server.close()


def ask_socket(path):
    """What comes back through ssh's own end, which appears when the login is through; empty when it is closed."""
    for _ in range(SECONDS * 20):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(SECONDS)
            try:
                client.connect(path)
                return client.recv(100)
            except (FileNotFoundError, ConnectionRefusedError):
                pass
            except OSError:
                return b""
        threading.Event().wait(0.05)
    return b""
