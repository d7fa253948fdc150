import pLimit from "p-limit";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { Container } from "./container";
import { describeContainer, statusOf, type Evidence } from "./describe";
import { probeSsh } from "./probe";
import { readRecord } from "./record";

/** sshd's default for channels is generous; this keeps a hundred probes from waking all containers in one instant. */
const PROBES_AT_ONCE = 16;

/**
 * All containers of ours on a server, by user name. Three requests, side by side, however many there are; and for each
 * running one whose SSH did not greet the server at once, a TCP connection over the same line.
 */
export async function listContainers(server: Server, options?: RequestOptions): Promise<Container[]> {
  const [instances, { accounts }, { answers }] = await Promise.all([
    server.incus.instances.list(options),
    server.helper({ op: "account.list" }, options),
    // A server whose helper is older does not know this.
    server.helper({ op: "ssh.probe" }, options).catch(() => ({ answers: [] as string[] })),
  ]);
  const greeting = new Set(answers);
  const byUser = new Map(accounts.map((account) => [account.user, account]));
  const limit = pLimit(PROBES_AT_ONCE);
  const containers = instances.map(async (instance) => {
    const record = readRecord(instance);
    if (record === undefined) return [];
    const { address } = record;
    const isUp = instance.status === "Running";
    const probe = () => (greeting.has(address) ? "answers" : limit(() => probeSsh(server, address)));
    const ssh: Evidence["ssh"] = isUp ? await probe() : "silent";
    const account = byUser.get(record.user);
    const evidence = { instance: instance.status, account, ssh, startedAt: instance.last_used_at };
    return [describeContainer(record, statusOf(record, evidence), server.name)];
  });
  return (await Promise.all(containers)).flat().sort((a, b) => a.user.localeCompare(b.user));
}
