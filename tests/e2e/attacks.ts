import { run, stack } from "./clone";
import type { TestFleet } from "./fleet";

/** Stand-ins that really answer, inside the machine's own network namespace. */
const metadata = "169.254.169.254";

/** Three DHCPDECLINE of another's: as dhclient has it, with the type behind other options, and behind a request that is let in. */
const declineInNameOf = `
import socket, struct, sys
chaddr, ip, server = bytes.fromhex(sys.argv[1].replace(":", "")), socket.inet_aton(sys.argv[2]), socket.inet_aton("10.0.3.1")
def message(first, kind):
    head = struct.pack("!BBBBIHH16x16s192x", 1, 1, 6, 0, 7, 0, 0, chaddr)
    return head + bytes.fromhex("63825363") + first + bytes([53, 1, kind, 50, 4]) + ip + bytes([54, 4]) + server + b"\\xff"
line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
line.connect(("10.0.3.1", 67))
for first, kind in [(b"", 4), (bytes([0, 0]), 4), (b"", 3), (b"", 4)]:
    line.send(message(first, kind))
print("3 declined")
`;

export function attacks(fleet: TestFleet): void {
  const config = `.containarium/${stack}.ssh_config`;

  beforeAll(async () => {
    fleet.newKey("mallory");
    await fleet.ops(["create", "mallory", "--ssh-key", "mallory.pub", "--json"]);
    await fleet.onServer(["ip", "address", "add", `${metadata}/32`, "dev", "lo"]);
    await fleet.onServer(["sh", "-c", `systemd-run -q --unit stand-in python3 -m http.server -b ${metadata} 80`]);
    await fleet.onServer([
      "sh",
      "-c",
      `for i in $(seq 100); do curl -so /dev/null http://${metadata}/ && exit; sleep 0.1; done; exit 1`,
    ]);
  });

  afterAll(async () => {
    await fleet.onServer(["systemctl", "stop", "stand-in"]);
    await fleet.onServer(["ip", "address", "del", `${metadata}/32`, "dev", "lo"]);
  });

  test("no shell: the message that users are told to expect", async () => {
    const result = await fleet.ssh(["-T", "alice-jump"]);
    expect((result.stdout + result.stderr).trim()).toBe("This account is currently not available.");
    expect(result.code).toBe(1);
  });

  test("no command, no sftp", async () => {
    expect((await fleet.ssh(["alice-jump", "id"])).stdout).not.toContain("uid=");
    expect(
      (await run(["sftp", "-F", config, "-b", "-", "alice-jump"], { cwd: fleet.clone, input: "ls /\n" })).code,
    ).not.toBe(0);
  });

  test("the stand-ins answer whoever may ask", async () => {
    expect(
      (await fleet.onServer(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", `http://${metadata}/`])).stdout,
    ).toBe("200");
    const mallory = (await fleet.list()).find(({ user }) => user === "mallory");
    expect((await fleet.onServer(["nc", "-w", "3", mallory?.ip ?? "", "22"])).stdout).toMatch(/^SSH-/);
  });

  test.each([
    ["the metadata service", () => `${metadata}:80`],
    ["the server's own sshd", () => "127.0.0.1:22"],
    ["another port of her own container", () => "10.0.3.10:80"],
    ["the server's address on the bridge", () => "10.0.3.1:22"],
  ])("no way to %s", async (_what, target) => {
    const result = await fleet.ssh(["-W", target(), "alice-jump"], config, "GET / HTTP/1.0\r\n\r\n");
    expect(result.stdout).toBe("");
    expect(result.code).not.toBe(0);
  });

  test("no way to another person's container", async () => {
    const mallory = (await fleet.list()).find(({ user }) => user === "mallory");
    const result = await fleet.ssh(["-W", `${mallory?.ip}:22`, "alice-jump"]);
    expect(result.stdout).toBe("");
    expect(result.code).not.toBe(0);
  });

  test("no listening, no unix sockets", async () => {
    const failing = ["-o", "ExitOnForwardFailure=yes", "-N"];
    expect((await fleet.ssh([...failing, "-R", "0:127.0.0.1:22", "alice-jump"])).code).not.toBe(0);
    const socket = `${fleet.clone}/incus.sock`;
    const forward = fleet.ssh(["-N", "-L", `${socket}:/var/lib/incus/unix.socket`, "alice-jump"]);
    const answer = await run(
      [
        "sh",
        "-c",
        `for i in $(seq 30); do [ -S ${socket} ] && break; sleep 0.1; done; curl -s --max-time 3 --unix-socket ${socket} http://incus/1.0`,
      ],
      { cwd: fleet.clone },
    );
    expect(answer.stdout).toBe("");
    await run(["pkill", "-f", socket], { cwd: fleet.clone });
    await forward;
  });

  test("from inside the container, as root: no metadata, no server, no neighbour, no host", async () => {
    const mallory = (await fleet.list()).find(({ user }) => user === "mallory");
    for (const [address, port] of [
      [metadata, 80],
      ["10.0.3.1", 22],
      [mallory?.ip, 22],
      ["10.88.0.1", 22],
    ]) {
      const result = await fleet.ssh([
        "alice-dev",
        `sudo timeout 3 bash -c 'exec 3<>/dev/tcp/${address}/${port} && head -c 4 <&3'`,
      ]);
      expect(`${address}: ${result.stdout}`).toBe(`${address}: `);
      expect(result.code).not.toBe(0);
    }
  });

  test("a stolen address is of no use", async () => {
    const mallory = (await fleet.list()).find(({ user }) => user === "mallory");
    await fleet.ssh(["alice-dev", `sudo ip address add ${mallory?.ip}/32 dev eth0`]);
    const spoofed = await fleet.ssh(["alice-dev", `sudo ping -c1 -W2 -I ${mallory?.ip} 10.0.3.1`]);
    await fleet.ssh(["alice-dev", `sudo ip address del ${mallory?.ip}/32 dev eth0`]);
    expect(spoofed.code).not.toBe(0);
    expect((await fleet.ssh(["alice-dev", "ping -c1 -W2 10.0.3.1"])).code).toBe(0);
  });

  test("a neighbour's address is not given back in her name", async () => {
    const { ip } = (await fleet.list()).find(({ user }) => user === "mallory")!;
    const incus = (...args: string[]) => fleet.onServer(["incus", ...args]);
    const mac = (await incus("config", "get", "mallory-container", "volatile.eth0.hwaddr")).stdout.trim();
    const declined = await fleet.ssh(["alice-dev", `sudo python3 - ${mac} ${ip}`], config, declineInNameOf);
    expect(declined).toMatchObject({ code: 0, stdout: "3 declined\n" });
    // Whoever boots for the first time knows no lease, and asks.
    await incus("stop", "--force", "mallory-container");
    await incus("file", "delete", "mallory-container/var/lib/dhcp/dhclient.eth0.leases");
    await incus("start", "mallory-container");
    // A container that does not get its own address has none that is let through.
    const greeting = `for i in $(seq 100); do nc -w 1 ${ip} 22 < /dev/null | grep SSH- && exit; sleep 0.1; done; exit 1`;
    expect((await fleet.onServer(["sh", "-c", greeting])).stdout).toMatch(/^SSH-/);
  });
}
