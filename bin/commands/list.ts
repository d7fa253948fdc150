import type { Container } from "../../ops/containers/container";
import { renderTable } from "../output/table";
import { nextCommand } from "../target-flags";
import { command } from "./command";
import type { Result } from "./command";

export const list = command({
  usage: "list",
  describe: "Show everybody's containers",
  positional: {},
  options: {},
  examples: [
    ["$0 list", "as a table"],
    ["$0 list --json | jq -r '.containers[].user'", "for scripts"],
  ],
  async run(_args, { io, target: open, progress }): Promise<Result> {
    const target = await open();
    progress.doing("Asking the servers...");
    const { containers, failures } = await target.servers.list();
    progress.clear();
    // Ctrl-C made them all fail; that is no news of theirs.
    io.signal.throwIfAborted();
    const sorted = [...containers].sort((a, b) => (a.user < b.user ? -1 : 1));
    if (sorted.length === 0 && failures.size === 0) {
      progress.note(
        `No containers in ${target.label}. The first:  ${nextCommand(target, "create alice --ssh-key alice.pub")}`,
      );
    }
    return {
      json: { containers: sorted },
      text: sorted.length === 0 ? "" : renderContainers(sorted),
      failures: [...failures].map(([subject, error]) => ({ subject, error })),
      succeeded: Math.max(target.addresses.length, 1) - failures.size,
    };
  },
});

export function renderContainers(containers: Container[]): string {
  return renderTable(
    ["NAME", "USER", "STATUS", "SERVER", "IP", "CPU", "MEMORY", "DISK", "AUTOSTART"],
    containers.map(({ name, user, status, server, ip, cpu, memory, diskQuota, autostart }) => [
      name,
      user,
      status,
      server,
      ip || "-",
      String(cpu),
      memory,
      diskQuota,
      autostart ? "yes" : "no",
    ]),
  );
}
