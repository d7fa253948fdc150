import { renderConfig, renderDevices } from "../../ops/containers/instance-config";
import { resolveSpec } from "../../ops/containers/spec";
import type { InstanceFull } from "../../ops";
import { keyOf } from "../fakes/keys";
import * as invariants from "./invariants";
import { after, nobody, type World } from "./model";
import type { Observed, RecordLine } from "./observe";

const size = { cpu: 1, memory: "512MiB", diskQuota: "3GB" };
const addresses: Record<string, string> = { ann: "10.0.3.10", ben: "10.0.3.11" };
const numbers = (user: string, key: number) => (user === "ann" ? key : key + 10);
const keyData = (user: string, key: number) => keyOf("ssh-ed25519", Buffer.alloc(32, numbers(user, key)));
const world: World = ["ann", "ben"].reduce(
  (so, user) => after(so, { kind: "create", user, key: 1, autostart: true, ...size }),
  nobody,
);

function instance(user: string): InstanceFull {
  const spec = resolveSpec({ user, sshKeys: [`${keyData(user, 1)} ${user}@laptop`], docker: false, ...size });
  const making = { image: "debian/13", address: addresses[user]!, createdAt: "", createdBy: "", run: "" };
  const config = { ...renderConfig(spec, making), "user.containarium.state": "ready" };
  const devices = renderDevices(spec, addresses[user]!);
  return { name: spec.name, status: "Running", created_at: "", config, devices, snapshots: [] } as never;
}

/** As it is when all is well. */
function well(): Observed {
  const opens = (user: string) => `restrict,port-forwarding,permitopen="${addresses[user]}:22"`;
  const file = (user: string) => [
    `${opens(user)} ${keyData(user, 1)} ${user}@laptop`,
    `from="127.0.0.1,::1",${opens(user)} ${keyOf("ssh-ed25519", Buffer.alloc(32, 99))} containarium-probe`,
  ];
  return {
    instances: [instance("ann"), instance("ben")],
    passwd: ["root:x:0:0::/root:/bin/bash", "operator1:x:1001:1001::/home/operator1:/bin/bash", "ann:x:70000:990::/:/usr/sbin/nologin", "ben:x:70001:990::/:/usr/sbin/nologin"], // prettier-ignore
    shadow: ["root:*:1::::::", "operator1:!:1::::::", "ann:*:1::::::", "ben:*:1::::::"],
    group: ["root:x:0:", "operator1:x:1001:", "containarium-jump:x:990:"],
    keyFiles: { ann: file("ann"), ben: file("ben") },
    firewall: ["70000 10.0.3.10 22", "70001 10.0.3.11 22"],
    homes: ["123  /home/operator1/.bashrc"],
    disks: ["ann-container", "ben-container"],
  };
}

const foreign = invariants.foreignThings(well());
const all = (observed: Observed) => [
  ...invariants.oneToOne(world, observed, keyData, []),
  ...invariants.power(world, observed),
  ...invariants.ownAddressOnly(observed),
  ...invariants.foreignUntouched(foreign, observed),
];

test("nothing is wrong when all is well", () => expect(all(well())).toEqual([]));

test.each<[string, RegExp, (observed: Observed) => void]>([
  ["a container that stayed", /containers: eve is too much/, ({ instances }) => {
    instances.push({ ...instance("ben"), name: "eve-container", config: { ...instance("ben").config, "user.containarium.user": "eve" } }); // prettier-ignore
  }],
  ["a container that is gone", /containers: ben is missing/, ({ instances }) => void instances.pop()],
  ["an account that stayed", /jump accounts: eve is too much/, ({ passwd }) => void passwd.push("eve:x:70002:990::/:/usr/sbin/nologin")],
  ["an account that is gone", /jump accounts: ben is missing/, ({ passwd }) => void passwd.pop()],
  ["half an account", /shadow entries: ben is missing/, ({ shadow }) => void shadow.pop()],
  ["a disk that stayed", /disks: ann-container\.incustmp is too much/, ({ disks }) => void disks.push("ann-container.incustmp")],
  ["a file of keys that stayed", /files of keys: eve is too much/, (seen) => void (seen.keyFiles["eve"] = [])],
  ["a key that is not at the jump", /keys of ann at the jump: .* is missing/, ({ keyFiles }) => void keyFiles["ann"]!.shift()],
  ["a lost key that still opens the jump", /keys of ann at the jump: .* is too much/, ({ keyFiles }) => {
    keyFiles["ann"]!.unshift(keyFiles["ann"]![0]!.replace(keyData("ann", 1), keyData("ann", 2)));
  }],
  ["another key on record", /keys of ann on record/, ({ instances }) => {
    instances[0]!.config["user.containarium.keys"] = JSON.stringify([keyData("ann", 3)]);
  }],
  ["a change of keys that was not completed", /ann has stale keys/, ({ instances }) => {
    instances[0]!.config["user.containarium.stale-keys"] = JSON.stringify([keyData("ann", 3)]);
  }],
  ["a half-made container", /ann is creating/, ({ instances }) => void (instances[0]!.config["user.containarium.state"] = "creating")],
  ["other limits", /ann has .*1GiB/, ({ instances }) => void (instances[0]!.config["limits.memory"] = "1GiB")],
  ["one that does not run", /ann is Stopped/, ({ instances }) => void (instances[0]!.status = "Stopped")],
  ["a snapshot that nobody made", /snapshots of ann: friday is too much/, ({ instances }) => void instances[0]!.snapshots!.push({ name: "friday" } as never)],
  ["two with one address", /address twice/, ({ instances }) => void (instances[1]!.devices["eth0"]!["ipv4.address"] = "10.0.3.10")],
  ["two with one uid", /uid twice/, ({ passwd }) => void (passwd[3] = "ben:x:70000:990::/:/usr/sbin/nologin")],
  ["a way to a neighbour", /firewall: 70000 10\.0\.3\.11 22 is too much/, ({ firewall }) => void firewall.push("70000 10.0.3.11 22")],
  ["a way that is gone", /firewall: 70001 .* is missing/, ({ firewall }) => void firewall.pop()],
  ["a key that opens a neighbour", /a key opens more/, ({ keyFiles }) => {
    keyFiles["ann"]![0] = keyFiles["ann"]![0]!.replace("10.0.3.10", "10.0.3.11");
  }],
  ["a key without walls", /a key opens more/, ({ keyFiles }) => void (keyFiles["ann"]![0] = `${keyData("ann", 1)} ann@laptop`)],
  ["a stranger's account that changed", /not ours: operator1:.* is missing/, ({ passwd }) => void (passwd[1] = "operator1:x:1001:1001::/:/usr/sbin/nologin")],
  ["a stranger's file that is gone", /\.bashrc is missing/, ({ homes }) => void homes.pop()],
  ["a stranger's lock", /not ours/, ({ shadow }) => void (shadow[1] = "operator1:*:1::::::")],
])("%s is noticed", (_what, problem, change) => {
  const observed = well();
  change(observed);
  expect(all(observed).join("\n")).toMatch(problem);
}); // prettier-ignore

describe("notes", () => {
  const person = { notes: ["one", "two"], doubtful: ["perhaps"] };
  test.each([
    [["one", "two"], []],
    [["one", "perhaps", "two"], []],
    [["one"], ["ann has lost two"]],
    [["one", "two", "three"], ["ann never wrote three"]],
    [["one", "two", "two"], ["note of ann twice: two"]],
  ])("%j", (found, problems) => expect(invariants.keptNotes("ann", person, found)).toEqual(problems));
});

describe("the record", () => {
  const none = { done: 0, failed: 0, cutOff: 0, again: 0 };
  const begin = (id: string, operation = "resize", user = "ann"): RecordLine => ({
    event: "begin",
    id,
    operation,
    user,
  });
  const end = (id: string, result = "done"): RecordLine => ({ event: "end", id, result });
  const problems = (runs: Partial<typeof none>, ...recorded: RecordLine[]) =>
    invariants.oneBeginOneEnd({ operation: "resize", user: "ann", ...none, ...runs }, recorded);

  test.each<[string, Partial<typeof none>, RecordLine[]]>([
    ["one that was done", { done: 1 }, [begin("1"), end("1")]],
    ["one that failed", { failed: 1 }, [begin("1"), end("1", "failed")]],
    ["one that was refused at once", { failed: 1 }, []],
    ["one that was cut off, and again", { cutOff: 1, done: 1 }, [begin("1"), begin("2"), end("2")]],
    ["one that was cut off before its begin", { cutOff: 1, done: 1 }, [begin("2"), end("2")]],
    ["one that was cut off after its end", { cutOff: 1, failed: 1 }, [begin("1"), end("1")]],
    ["one that had nothing to do any more", { cutOff: 1, again: 1 }, [begin("1")]],
    ["a note", {}, []],
  ])("%s: nothing to say", (_what, runs, recorded) => expect(problems(runs, ...recorded)).toEqual([]));

  test.each<[string, Partial<typeof none>, RecordLine[], RegExp]>([
    ["no begin", { done: 1 }, [], /0 begun/],
    ["no end", { done: 1 }, [begin("1")], /0 ended/],
    ["two begins", { done: 1 }, [begin("1"), end("1"), begin("2"), end("2")], /2 begun/],
    ["one id twice", { done: 1, cutOff: 1 }, [begin("1"), begin("1"), end("1")], /begin twice/],
    ["two ends", { done: 1 }, [begin("1"), end("1"), end("1")], /end twice/],
    ["an end of nothing", { done: 1 }, [begin("1"), end("1"), end("2", "failed")], /without its begin/],
    ["done as failed", { done: 1 }, [begin("1"), end("1", "failed")], /0 of them done/],
    ["failed as done", { failed: 1 }, [begin("1"), end("1")], /1 of them done/],
    ["a failed one without an end", { failed: 1 }, [begin("1")], /0 ended/],
    ["as something else", { done: 1 }, [begin("1", "delete"), end("1")], /delete of ann is on record/],
    ["as somebody else's", { done: 1 }, [begin("1", "resize", "ben"), end("1")], /resize of ben is on record/],
  ])("%s is noticed", (_what, runs, recorded, problem) => {
    expect(problems(runs, ...recorded).join("\n")).toMatch(problem);
  });
});
