import type { ContainerDetails } from "../../ops/containers/container";
import { formatBytes } from "../../ops/containers/size";
import { parseUserName } from "../../ops/containers/user-name";
import { renderFields } from "../output/table";
import { command } from "./command";
import type { Result } from "./command";
import { findUser } from "./find-user";

export const info = command({
  usage: "info <user>",
  describe: "Show one user's container, and what it uses",
  positional: { user: { describe: "login name" } },
  options: {},
  examples: [["$0 info alice", "what alice has"]],
  async run({ user }, context): Promise<Result> {
    parseUserName(user);
    const { server } = await findUser(user, await context.target(), context);
    const container = await context.services.inspectContainer(server, user, { signal: context.io.signal });
    return { json: { containers: [container] }, text: renderContainer(container) };
  },
});

export function renderContainer(container: ContainerDetails, now = Date.now()): string {
  const { usage, startedAt, snapshots, lastLogin } = container;
  const {
    autostart,
    cpu,
    createdAt,
    diskQuota,
    docker,
    image,
    ip,
    keys,
    memory,
    name,
    processes,
    server,
    status,
    user,
  } = container;
  return renderFields([
    ["Container", name],
    ["Status", status],
    ["User", user],
    ["Server", server],
    ["IP address", ip || "-"],
    ["Image", image],
    ["CPU", `${cpu} ${cpu === 1 ? "core" : "cores"}, ${usage.cpuSeconds} s used`],
    ["Memory", `${formatBytes(usage.memoryBytes)} of ${memory}`],
    ["Disk", `${formatBytes(usage.diskBytes)} of ${diskQuota}`],
    ["Processes", `${usage.processes} of ${processes}`],
    ["Up for", startedAt === undefined ? "-" : duration(now - Date.parse(startedAt))],
    ["Last login", lastLogin ?? "not known"],
    ["Auto-start", autostart ? "enabled" : "disabled"],
    ["Docker", docker ? "enabled" : "disabled"],
    ["Snapshots", scheduleOf(container)],
    ["Created", createdAt],
    ...keys.map(({ type, fingerprint, comment }, index): [string, string] => [
      keys.length === 1 ? "Key" : `Key ${index + 1}`,
      [type, fingerprint, comment].filter((part) => part !== "").join(" "),
    ]),
    ...snapshots.map(({ name, createdAt }, index): [string, string] => [
      snapshots.length === 1 ? "Snapshot" : `Snapshot ${index + 1}`,
      `${name}, ${createdAt}`,
    ]),
    ["SSH", `ssh ${user}-dev`],
  ]);
}

function scheduleOf({ snapshotSchedule, snapshotExpiry }: ContainerDetails): string {
  if (snapshotSchedule === undefined) return "by hand";
  return `${snapshotSchedule}, ${snapshotExpiry === undefined ? "kept" : `for ${snapshotExpiry}`}`;
}

/** `3 d 4 h`, `12 min`: the two largest parts. */
export function duration(milliseconds: number): string {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
  const parts: [number, string][] = [
    [Math.floor(minutes / 1440), "d"],
    [Math.floor(minutes / 60) % 24, "h"],
    [minutes % 60, "min"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "less than a minute";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}
