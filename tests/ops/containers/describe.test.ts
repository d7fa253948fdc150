import { statusOf, type Evidence } from "../../../ops/containers/describe";
import type { ContainerRecord } from "../../../ops/containers/record";

const record = { state: "ready", address: "10.0.3.10" } as ContainerRecord;
const good: Evidence = { instance: "Running", account: { target: "10.0.3.10" }, ssh: "answers" };

function seconds(fromNow: number): string {
  return new Date(Date.now() + fromNow * 1000).toISOString();
}

it.each<[string, ContainerRecord, Evidence, string]>([
  ["all is there", record, good, "running"],
  ["nobody may look at its SSH", record, { ...good, ssh: "unknown" }, "running"],
  ["its SSH is silent", record, { ...good, ssh: "silent" }, "no-ssh"],
  ["it has no jump account", record, { ...good, account: undefined }, "no-ssh"],
  ["its jump account leads elsewhere", record, { ...good, account: { target: "10.0.3.11" } }, "no-ssh"],
  ["it was started a moment ago", record, { ...good, ssh: "silent", startedAt: seconds(-20) }, "starting"],
  ["it was started long ago", record, { ...good, ssh: "silent", startedAt: seconds(-90) }, "no-ssh"],
  [
    "it was started just now, without a way in",
    record,
    { ...good, account: undefined, startedAt: seconds(0) },
    "no-ssh",
  ],
  ["it is stopped", record, { ...good, instance: "Stopped", ssh: "silent" }, "stopped"],
  ["Incus has trouble with it", record, { ...good, instance: "Error", ssh: "silent" }, "error"],
  ["its create never ended", { ...record, state: "creating" }, good, "half-made"],
])("%s", (_when, of, evidence, status) => expect(statusOf(of, evidence)).toBe(status));
