import { spawnSync } from "node:child_process";
import path from "node:path";
import { Sandbox } from "./sandbox";

jest.setTimeout(30_000);

interface Found {
  name: string;
  state: string;
  detail: string;
  depends: unknown[];
}

let server: Sandbox;
beforeEach(() => {
  server = new Sandbox();
});
afterEach(() => server.remove());

function examine(user: string | null = null, peers: string[] | null = null) {
  const answer = server.request({ op: "doctor.examine", user, peers });
  expect(answer).toMatchObject({ ok: true });
  return answer.result as unknown as { home: string | null; checks: Found[] };
}

test("where everything is missing, every check has its say, and nothing is red by cascade", () => {
  const { checks, home } = examine("alice");
  const of = (name: string) => checks.find((check) => check.name === name);
  expect(home).toBeNull();
  expect(of("startup")).toMatchObject({ state: "failed", detail: "it did not come to its end" });
  expect(of("data disk")).toMatchObject({ state: "failed", detail: "/srv/containarium is not mounted" });
  for (const [name, cause] of [
    ["pool health", "data disk"],
    ["Incus", "data disk"],
    ["golden image", "Incus"],
    ["jump accounts", "Incus"],
  ] as const) {
    expect(of(name)).toMatchObject({ state: "skipped", detail: `needs ${cause}` });
  }
  expect(checks.map(({ detail }) => detail).join()).not.toMatch(/cannot be looked at: (Name|Type|Attribute)Error/);
});

test("a person who lives elsewhere is looked for from here, as far as their own server is well", () => {
  server.write(
    "etc/containarium/server.json",
    JSON.stringify({
      schema: 1,
      name: "jump-1",
      admin: { user: "boss" },
      containerSubnet: "10.0.3.0/24",
      fleetSubnet: "10.88.0.0/24",
    }),
  );
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAxYMvpV/ari0kdpfUjQl33M38YVH1eIIjnQZX+O2Ir0";
  spawnSync("mkdir", ["-p", path.join(server.root, "etc/ssh/containarium/authorized_keys.d")]);
  server.write(
    "etc/ssh/containarium/authorized_keys.d/alice",
    `restrict,port-forwarding,permitopen="10.0.4.10:22" ${key}\n`,
  );
  const { checks, home } = examine("alice", ["jump-2"]);
  expect(home).toBe("jump-2");
  expect(checks.at(-1)).toMatchObject({
    name: "alice: way in",
    state: "skipped",
    depends: [{ server: "jump-2", check: "alice: way in" }],
  });
  expect(checks.find(({ name }) => name === "hears jump-2")).toMatchObject({
    depends: [{ server: "jump-2", check: "fleet service" }],
  });
});

test.each([
  ["a server that is this one", ["jump-1"]],
  ["a name that is no server's", ["x;id"]],
  ["no list", "jump-2"],
])("refuses %s as a peer", (_what, peers) => {
  expect(server.request({ op: "doctor.examine", user: null, peers })).toMatchObject({ error: { code: "invalid" } });
});

const STARTUP = path.resolve(__dirname, "../../startup");

function python(script: string): unknown {
  const program = `import json, sys\nsys.dont_write_bytecode = True\nsys.path.insert(0, sys.argv[1])\n${script}`;
  const { stdout, stderr } = spawnSync("python3", ["-c", program, STARTUP], { encoding: "utf8" });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

test("two tables are the same whatever they counted; a rule, an element or a set more or less is named", () => {
  const table = (rules: string[], elements: string[], packets = 0) => ({
    nftables: [
      { metainfo: { version: "1" } },
      { table: { name: "containarium", handle: packets } },
      { counter: { name: "refused", packets, bytes: packets } },
      { set: { name: "jump_targets", elem: elements } },
      ...rules.map((expr) => ({ rule: { chain: "output", handle: packets, expr } })),
    ],
  });
  const compare = (one: unknown, other: unknown) =>
    python(
      `from containarium_doctor import differences\nprint(json.dumps(differences(*map(json.dumps, json.loads(${JSON.stringify(JSON.stringify([one, other]))})))))`,
    );
  const installed = table(["a", "b"], ["1", "2"]);
  expect(compare(table(["a", "b"], ["2", "1"], 77), installed)).toEqual([]);
  expect(compare(table(["a"], ["1", "2"]), installed)).toEqual(["chain output"]);
  expect(compare(table(["b", "a"], ["1", "2"]), installed)).toEqual(["chain output"]);
  expect(compare(table(["a", "b"], ["1"]), installed)).toEqual(["set jump_targets"]);
});

test.each([
  ["SSH-2.0-OpenSSH_10.0", "", "open"],
  ["", "channel 0: open failed: administratively prohibited: open failed\nstdio forwarding failed", "refused by sshd"],
  ["", "channel 0: open failed: connect failed: Connection refused", "let through by sshd; nobody listens"],
  ["", "channel 0: open failed: connect failed: No route to host", "let through by sshd, not by the kernel"],
  ["", "alice@127.0.0.1: Permission denied (publickey).", /^the login failed: /],
  ["", "", "let through by sshd; no answer"],
])("an attempt that brings %j and %j is %s", (said, errors, expected) => {
  const arguments_ = JSON.stringify(JSON.stringify([said, errors]));
  const result = python(`from containarium_access import forwarded\nprint(json.dumps(forwarded(*json.loads(${arguments_}))))`); // prettier-ignore
  expect(result).toEqual(typeof expected === "string" ? expected : expect.stringMatching(expected));
});
