import { Sandbox } from "./sandbox";

let server: Sandbox;
beforeEach(() => {
  server = new Sandbox();
  const config = { schema: 1, name: "jump-1", containerSubnet: "10.0.3.0/24", image: "debian/13", imageVersion: "v1" };
  server.write("etc/containarium/server.json", JSON.stringify(config));
});
afterEach(() => server.remove());

const status = () => server.request({ op: "image.status" }).result;
const log = (...lines: string[]) =>
  server.write("run/containarium/bake.log", lines.map((line) => `${line}\n`).join(""));
/** `systemctl is-active` says no. */
const idle = () => server.failWith({ program: "systemctl", status: 3, stderr: "", times: 9 });

describe("image.status", () => {
  const at = { image: "debian/13", version: "v1" };
  test("before any bake", () => {
    idle();
    expect(status()).toEqual({ ...at, bake: { state: "none", steps: [] } });
  });

  test("while one runs: its steps so far", () => {
    log("step: Starting", "noise", "step: Trying");
    expect(status()).toEqual({ ...at, bake: { state: "running", steps: ["Starting", "Trying"] } });
  });

  test.each<[string, string[], object]>([
    ["one that is done", ["step: A", "end: 0"], { state: "done", steps: ["A"] }],
    [
      "one that failed: its last words",
      ["step: A", "no space left", "step: B", "end: 1"],
      { state: "failed", steps: ["A", "B"], message: "no space left" },
    ],
    ["one that was killed", ["step: A", "x"], { state: "failed", steps: ["A"], message: "it was killed" }],
  ])("%s", (_what, lines, bake) => {
    idle();
    log(...lines);
    expect(status()).toEqual({ ...at, bake });
  });
});

describe("image.bake", () => {
  const started = () => server.calls().filter(([program]) => program === "systemd-run");

  test("begins in a unit of its own, which outlives the connection", () => {
    idle();
    expect(server.request({ op: "image.bake", image: "debian/13" }).result).toEqual({ started: true });
    expect(started()).toEqual([
      [
        "systemd-run",
        "-q",
        "--collect",
        "--unit=containarium-bake.service",
        expect.stringMatching(/^--property=StandardOutput=truncate:.*\/run\/containarium\/bake\.log$/),
        "--property=StandardError=inherit",
        "/usr/local/lib/containarium/bake-image.sh",
        "--fresh",
      ],
    ]);
  });

  test("one that is under way is joined", () => {
    expect(server.request({ op: "image.bake", image: "debian/13" }).result).toEqual({ started: false });
    expect(started()).toEqual([]);
  });

  test.each(["ubuntu/24.04", "", "--fresh", "debian/13; reboot", "../x", 13])("refuses %j", (image) => {
    idle();
    expect(server.request({ op: "image.bake", image }).error?.code).toBe("invalid");
    expect(started()).toEqual([]);
  });
});
