import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";

const STARTUP = path.resolve(__dirname, "../../startup");
const PROGRAM = path.join(STARTUP, "containarium-drain");
const read = (name: string) => readFileSync(path.join(STARTUP, name), "utf8");

jest.setTimeout(30_000);

let root: string;
let server: http.Server | undefined;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "drain-"));
  for (const folder of ["run", "srv/containarium", "var/lib/incus"])
    mkdirSync(path.join(root, folder), { recursive: true });
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  rmSync(root, { recursive: true });
});

/** Runs Python in the program's own namespace; what it prints. */
function run(code: string, options: object = {}): Promise<{ stdout: string; stderr: string; seconds: number }> {
  const began = Date.now();
  const args = ["-I", path.join(__dirname, "drain_driver.py"), PROGRAM, root, JSON.stringify(options), code];
  const child = spawn("python3", args);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data) => (stdout += data));
  child.stderr.on("data", (data) => (stderr += data));
  return new Promise((resolve) =>
    child.on("close", () => resolve({ stdout: stdout.trim(), stderr, seconds: (Date.now() - began) / 1000 })),
  );
}

interface Container {
  status: string;
  /** `deaf` ones need force, `stuck` ones more than that. */
  kind?: "deaf" | "stuck";
}

/** An Incus that knows how to stop all its containers; its requests, in order. */
async function startIncus(containers: Record<string, Container>): Promise<string[]> {
  const requests: string[] = [];
  server = http.createServer((request, response) => {
    let body = "";
    request.on("data", (data) => (body += data));
    request.on("end", () => {
      requests.push(`${request.method} ${request.url} ${body}`);
      const answer = (metadata: unknown) => response.end(JSON.stringify({ type: "sync", metadata }));
      if (request.method === "GET" && request.url?.startsWith("/1.0/instances"))
        return answer(Object.entries(containers).map(([name, { status }]) => ({ name, status })));
      if (request.method === "PUT") {
        const { force = false } = JSON.parse(body).state;
        for (const one of Object.values(containers)) {
          if (one.kind === undefined || (force && one.kind === "deaf")) one.status = "Stopped";
        }
        return response.end(JSON.stringify({ type: "async", operation: "/1.0/operations/1" }));
      }
      // The wait for a container that does not stop has no end of its own.
      const waits = request.url?.startsWith("/1.0/operations");
      if (waits && Object.values(containers).some(({ status }) => status === "Running")) return undefined;
      return answer({});
    });
  });
  await new Promise<void>((resolve) => server!.listen(path.join(root, "var/lib/incus/unix.socket"), resolve));
  return requests;
}

const quick = { SAVING: 0.1, GRACE: 1, FORCING: 0.5, ASKING: 1, SYNCING: 1 };

test("is not ready any more, stops all at once, and has Incus remember that they ran", async () => {
  const requests = await startIncus({
    ann: { status: "Running" },
    ben: { status: "Running" },
    off: { status: "Stopped" },
  });
  const { stderr } = await run("stop()", quick);
  expect(stderr).toMatch(/^1 terminals told, 2 containers stopped, /);
  expect(existsSync(path.join(root, "run/containarium/draining"))).toBe(true);
  const stops = requests.filter((request) => request.startsWith("PUT"));
  expect(stops).toEqual(['PUT /1.0/instances {"state": {"action": "stop", "timeout": 1}}']);
  const remembered = requests.filter((request) => request.startsWith("PATCH"));
  expect(remembered).toEqual(
    ["ann", "ben"].map((name) => `PATCH /1.0/instances/${name} {"config": {"volatile.last_state.power": "RUNNING"}}`),
  );
});

test("who does not stop gently is stopped by force", async () => {
  const containers: Record<string, Container> = {
    ann: { status: "Running" },
    deaf: { status: "Running", kind: "deaf" },
  };
  const requests = await startIncus(containers);
  await run("stop()", quick);
  expect(containers).toMatchObject({ ann: { status: "Stopped" }, deaf: { status: "Stopped" } });
  expect(requests.filter((request) => request.includes("force"))).toHaveLength(1);
});

test.each<[string, () => Promise<unknown>]>([
  ["does not answer", async () => (server = await silentServer())],
  ["is not there", async () => undefined],
  ["cannot stop a container", () => startIncus({ stuck: { status: "Running", kind: "stuck" } })],
])("an Incus that %s makes nothing hang, and the kernel ends the containers", async (_what, prepare) => {
  await prepare();
  const { stdout, seconds } = await run("stop(); print(killed)", quick);
  expect(stdout).toBe("1");
  expect(seconds).toBeLessThan(15);
});

async function silentServer(): Promise<http.Server> {
  const silent = http.createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(path.join(root, "var/lib/incus/unix.socket"), resolve));
  return silent;
}

test("a service that is restarted by hand is no end of the server", async () => {
  const { stderr } = await run("system_is_stopping = lambda: False\nstop()", quick);
  expect(stderr).toBe("");
  expect(existsSync(path.join(root, "run/containarium/draining"))).toBe(false);
});

test("a program that never ends is not waited for", async () => {
  const { stdout, seconds } = await run("print(repr(run(['sleep', '20'], 0.3)), tell())");
  expect(stdout).toMatch(/^'' \d+$/);
  expect(seconds).toBeLessThan(15);
});

test("writes to terminals, once to each, and to nothing else", async () => {
  const code = `
import pty
outer, inner = pty.openpty()
name = f"/proc/self/fd/{inner}"
one = say(name, "hello")
say(name, "again", {one})
os.set_blocking(outer, False)
print(json.dumps(os.read(outer, 1000).decode()))
open(RUN + "/file", "w").write("precious")
os.mkfifo(RUN + "/fifo")
for path in (RUN + "/file", "/dev/null"):
    print(say(path, "hello"))
try:
    say(RUN + "/fifo", "hello")
except OSError as error:
    print(error.strerror)
print(open(RUN + "/file").read())
held = os.open(os.ttyname(inner), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
try:
    while True:
        os.write(held, b"x" * 1000)
except BlockingIOError:
    pass
print(say(name, "full") == one)
print(is_on_terminals(os.getpid(), inner), is_on_terminals(os.getpid(), os.open("/dev/null", os.O_RDONLY)))`;
  mkdirSync(path.join(root, "run/containarium"));
  const { stdout, stderr } = await run(code);
  expect(stderr).toBe("");
  expect(stdout.split("\n")).toEqual([
    JSON.stringify("\r\r\n\u0007*** hello\r\r\n"),
    "None",
    "None",
    "No such device or address",
    "precious",
    "True",
    "True False",
  ]);
});

describe("Google's notice", () => {
  const watch = (answers: unknown[]) =>
    run(`
answers = iter(${JSON.stringify(answers).replaceAll("true", "True").replaceAll("false", "False").replaceAll("null", "None")})
class Over(Exception): pass
def preempted(wait):
    for answer in answers:
        return answer
    raise Over
subprocess.run = lambda argv, **options: print(*argv)
time.sleep = lambda seconds: None
try:
    watch()
except Over:
    print("still watching")`);

  test("ends the server when it comes", async () => {
    expect((await watch([false, false, null, true])).stdout).toBe("systemctl poweroff --no-block");
  });

  test("of an earlier life is none", async () => {
    expect((await watch([true, true, null, true])).stdout).toBe("still watching");
  });
});

test("all of it together fits 25 seconds, and each limit is one that systemd keeps", async () => {
  const limit = (file: string) => Number(/^(?:Default)?TimeoutStopSec=(\d+)s?$/m.exec(read(file))?.[1]);
  const { stdout } = await run(
    "print(TELLING + 2 * ASKING + max(SAVING, SYNCING) + GRACE + 1 + FORCING + REMEMBERING + SYNCING)",
  );
  expect(Number(stdout)).toBeLessThan(limit("containarium-drain.service"));
  // One after the other: the drain, incus-startup, incus. All else runs beside them, and has shorter limits.
  expect(limit("containarium-drain.service") + 2 * limit("stop-limit.conf")).toBeLessThanOrEqual(25);
  for (const file of ["user-manager.conf", "session-scope.conf", "system-stop.conf", "containarium-fleet.service"])
    expect(limit(file)).toBeLessThanOrEqual(10);
  const doc = readFileSync(path.join(STARTUP, "../docs/shutdown.md"), "utf8");
  expect(doc).toContain(`| ${limit("containarium-drain.service")} `);
});
