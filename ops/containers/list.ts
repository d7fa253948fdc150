import pLimit from "p-limit";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { Container } from "./container";
import { describeContainer, statusOf } from "./describe";
import { probeSsh } from "./probe";
import { readRecord } from "./record";

/** sshd's default for channels is generous; this keeps a hundred probes from waking all containers in one instant. */
const PROBES_AT_ONCE = 16;

/**
 * All containers of ours on a server, by user name. Two requests, however many there are, and for each running one a
 * TCP connection over the same line, to see whether its SSH greets.
 */
export async function listContainers(server: Server, options?: RequestOptions): Promise<Container[]> {
  const [instances, { accounts }] = await Promise.all([
    server.incus.instances.list(options),
    server.helper({ op: "account.list" }, options),
  ]);
  const byUser = new Map(accounts.map((account) => [account.user, account]));
  const limit = pLimit(PROBES_AT_ONCE);
  const containers = instances.map(async (instance) => {
    const record = readRecord(instance);
    if (record === undefined) return [];
    const isUp = instance.status === "Running";
    const ssh = isUp ? await limit(() => probeSsh(server, record.address)) : "silent";
    const evidence = {
      instance: instance.status,
      account: byUser.get(record.user),
      ssh,
      startedAt: instance.last_used_at,
    };
    return [describeContainer(record, statusOf(record, evidence), server.name)];
  });
  return (await Promise.all(containers)).flat().sort((a, b) => a.user.localeCompare(b.user));
}
