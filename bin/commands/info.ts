import type { Container } from "../../ops/containers/container";
import { parseUserName } from "../../ops/containers/user-name";
import { NotFoundError } from "../../ops/errors";
import { renderFields } from "../output/table";
import { nextCommand } from "../target-flags";
import type { Target } from "../target";
import { command } from "./command";
import type { Result } from "./command";

export const info = command({
  usage: "info <user>",
  describe: "Show one user's container",
  positional: { user: { describe: "login name" } },
  options: {},
  examples: [["$0 info alice", "what alice has"]],
  async run({ user }, { target: open, progress }): Promise<Result> {
    parseUserName(user);
    const target = await open();
    progress.doing("Asking the servers...");
    const found = await target.servers.find(user);
    progress.clear();
    if (!found) throw unknownUser(user, target);
    return { json: { containers: [found.container] }, text: renderContainer(found.container) };
  },
});

export function unknownUser(user: string, target: Target): NotFoundError {
  return new NotFoundError(`no container for ${user} in ${target.label}`, { remedy: nextCommand(target, "list") });
}

export function renderContainer(container: Container): string {
  const { autostart, cpu, createdAt, diskQuota, docker, image, ip, keys, memory, name, server, status, user } =
    container;
  return renderFields([
    ["Container", name],
    ["Status", status],
    ["User", user],
    ["Server", server],
    ["IP address", ip || "-"],
    ["Image", image],
    ["CPU", `${cpu} ${cpu === 1 ? "core" : "cores"}`],
    ["Memory", memory],
    ["Disk quota", diskQuota],
    ["Auto-start", autostart ? "enabled" : "disabled"],
    ["Docker", docker ? "enabled" : "disabled"],
    ["Created", createdAt],
    ...keys.map(({ type, fingerprint, comment }, index): [string, string] => [
      keys.length === 1 ? "Key" : `Key ${index + 1}`,
      [type, fingerprint, comment].filter((part) => part !== "").join(" "),
    ]),
    ["SSH", `ssh ${user}-dev`],
  ]);
}
