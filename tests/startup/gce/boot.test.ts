/** startup/gce/boot.sh against a metadata server of our own, in a folder instead of /. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";

import { bootScript, startupMetadata } from "../../../components/startup-script";

// Each boot starts a Python per file, which takes a while when all tests run at once.
jest.setTimeout(30_000);

const values = { name: "jump-1", admin: { user: "admin", authorizedKeys: [] }, containerSubnet: "10.0.3.0/24", neverBan: [], image: "images:ubuntu/24.04" }; // prettier-ignore
const attributes = "/computeMetadata/v1/instance/attributes/";
const guest = "/computeMetadata/v1/instance/guest-attributes/";

let root: string;
let server: http.Server;
let metadata: Record<string, string>;
let written: Record<string, string>;
let failures: number;

const library = (name: string) => path.join(root, "usr/local/lib/containarium", name);
const files = (bootstrap: string) => [
  { name: "bootstrap.sh", content: bootstrap, executable: true },
  { name: "kernel-limits", content: "a 1\n", executable: false },
];
const works = '#!/bin/bash\necho ran >> "$CONTAINARIUM_ROOT/ran"\n';

beforeEach(async () => {
  root = mkdtempSync(path.join(os.tmpdir(), "containarium-boot-"));
  mkdirSync(path.join(root, "etc/ssh"), { recursive: true });
  mkdirSync(path.join(root, "bin"));
  writeFileSync(path.join(root, "bin/systemctl"), '#!/bin/bash\necho "$@" >> "$CONTAINARIUM_ROOT/systemctl"\n', { mode: 0o755 }); // prettier-ignore
  writeFileSync(path.join(root, "etc/ssh/ssh_host_ed25519_key.pub"), "ssh-ed25519 AAAA jump-1\n");
  metadata = startupMetadata(files(works), values);
  written = {};
  failures = 0;
  server = http.createServer((request, response) => {
    const url = request.url ?? "";
    const value = metadata[url.replace(attributes, "")];
    if (request.headers["metadata-flavor"] !== "Google") return response.writeHead(403).end();
    if (failures-- > 0) return response.writeHead(503).end();
    if (request.method === "PUT" && url.startsWith(guest)) {
      request.on("data", (data: Buffer) => (written[url.replace(guest, "")] = data.toString()));
      return request.on("end", () => response.end());
    }
    return value === undefined ? response.writeHead(404).end() : response.end(value);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  server.close();
  rmSync(root, { recursive: true });
});

function boot(patience = 5): Promise<{ code: number; stderr: string }> {
  const { port } = server.address() as AddressInfo;
  const env = {
    ...process.env,
    PATH: `${path.join(root, "bin")}:${process.env["PATH"]}`,
    CONTAINARIUM_ROOT: root,
    CONTAINARIUM_METADATA: `http://127.0.0.1:${port}`,
    CONTAINARIUM_PATIENCE: String(patience),
  };
  return new Promise((resolve) => {
    const child = execFile("bash", ["-c", bootScript()], { env }, (_error, _stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stderr }),
    );
  });
}

test("fetches, installs, runs, and reports readiness and host key", async () => {
  expect(await boot()).toEqual({ code: 0, stderr: "" });
  expect(readFileSync(library("kernel-limits"), "utf8")).toBe("a 1\n");
  expect(statSync(library("bootstrap.sh")).mode & 0o777).toBe(0o755);
  expect(readFileSync(path.join(root, "etc/containarium/server.json"), "utf8")).toBe(metadata["containarium-server"]);
  expect(readFileSync(path.join(root, "ran"), "utf8")).toBe("ran\n");
  expect(written["containarium/host-key"]).toBe("ssh-ed25519 AAAA");
  expect(written["containarium/ready"]).toMatch(/^[0-9a-f]{64}$/);
  expect(readFileSync(path.join(root, "etc/default/instance_configs.cfg"), "utf8")).toMatch(/accounts_daemon = false/);
});

test("a second boot changes nothing, and an older version's file goes", async () => {
  await boot();
  writeFileSync(library("old-file"), "");
  expect((await boot()).code).toBe(0);
  expect(existsSync(library("old-file"))).toBe(false);
  expect(readFileSync(path.join(root, "systemctl"), "utf8").trim().split("\n")).toHaveLength(1);
});

test("waits for a metadata server that is not ready yet", async () => {
  failures = 2;
  expect((await boot(30)).code).toBe(0);
}, 30_000);

test("a silent metadata server: the first boot fails within its bound, a later one runs what it has", async () => {
  failures = 10_000;
  expect(await boot(1)).toMatchObject({ code: 1, stderr: expect.stringMatching(/cannot fetch.*\nFAILED: no startup/) });
  failures = 0;
  await boot();
  failures = 10_000;
  expect((await boot(1)).stderr).toContain("going on with the files of the last boot");
  expect(readFileSync(path.join(root, "ran"), "utf8")).toBe("ran\nran\n");
}, 30_000);

test("a damaged file is not installed", async () => {
  await boot();
  metadata = { ...startupMetadata(files(works), values), "containarium-file-kernel-limits": "damaged" };
  expect((await boot()).stderr).toContain("kernel-limits: wrong checksum");
  expect(readFileSync(library("kernel-limits"), "utf8")).toBe("a 1\n");
});

test("a bootstrap that fails is not reported as ready", async () => {
  metadata = startupMetadata(files("#!/bin/bash\nexit 3\n"), values);
  expect((await boot()).code).toBe(3);
  expect(written).toEqual({});
});
