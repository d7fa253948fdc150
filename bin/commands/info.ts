import type { Container } from "../../ops/containers/container";
import { parseUserName } from "../../ops/containers/user-name";
import { renderFields } from "../output/table";
import { command } from "./command";
import type { Result } from "./command";
import { findUser } from "./find-user";

export const info = command({
  usage: "info <user>",
  describe: "Show one user's container",
  positional: { user: { describe: "login name" } },
  options: {},
  examples: [["$0 info alice", "what alice has"]],
  async run({ user }, context): Promise<Result> {
    parseUserName(user);
    const { container } = await findUser(user, await context.target(), context);
    return { json: { containers: [container] }, text: renderContainer(container) };
  },
});

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
