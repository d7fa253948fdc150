import { formatBytes } from "../../ops/containers/size";
import { activitySince, summarizeActivity } from "../../ops/status/activity";
import type { Activity } from "../../ops/status/activity";
import { reportOf } from "../output/error";
import type { Failure } from "../output/error";
import { printable } from "../output/printable";
import { renderTable } from "../output/table";
import type { ServerHealth } from "../services";
import { renderBans } from "./bans-list";
import { command } from "./command";
import type { Result } from "./command";
import { eachServer } from "./each-server";
import { renderSessions } from "./sessions";

export const status = command({
  usage: "status",
  describe: "Show how the servers are, who is connected, who is banned, who came and who failed to",
  positional: {},
  options: {},
  examples: [["$0 status", "the last hour, and today (UTC)"]],
  async run(_args, context): Promise<Result> {
    const { io, services } = context;
    const now = new Date();
    const { results, failures } = await eachServer(
      (server) => services.checkServer(server, activitySince(now), { signal: io.signal }),
      context,
    );
    const activity = summarizeActivity(results, now);
    return {
      json: {
        servers: [
          ...results.map(({ events: _events, sessions: _sessions, bans: _bans, ...health }) => ({
            reachable: true,
            ...health,
          })),
          ...failures.map(({ subject, error }) => ({
            reachable: false,
            server: subject,
            problems: [reportOf(error).message],
          })),
        ].sort((a, b) => (a.server < b.server ? -1 : 1)),
        sessions: results.flatMap(({ sessions }) => sessions),
        bans: results.flatMap(({ bans }) => bans),
        ...activity,
      },
      text: renderStatus(results, failures, activity),
      failures,
      succeeded: results.length,
    };
  },
});

function renderStatus(servers: readonly ServerHealth[], failures: readonly Failure[], activity: Activity): string {
  const sessions = servers.flatMap((server) => server.sessions);
  const bans = servers.flatMap((server) => server.bans);
  const { recentFailures, recentLogins, connectionsToday } = activity;
  const section = (title: string, count: number, text: string) =>
    count === 0 ? `${title}: none` : `${title}:\n${text}`;
  return [
    renderServers(servers, failures),
    section("Connected now", sessions.length, renderSessions(sessions)),
    section("Banned now", bans.length, renderBans(bans)),
    section(
      "Failed logins of the last hour (the newest)",
      recentFailures.length,
      renderTable(
        ["TIME", "USER", "FROM", "SERVER", "REASON"],
        recentFailures.map(({ time, user, address, server, reason }) =>
          [time, user, address, server, reason].map(printable),
        ),
      ),
    ),
    section(
      "Logins of the last hour (the newest)",
      recentLogins.length,
      renderTable(
        ["TIME", "USER", "FROM", "SERVER", "KEY"],
        recentLogins.map(({ time, user, address, server, key }) => [time, user, address, server, key].map(printable)),
      ),
    ),
    section(
      `Users today (UTC), and how often they connected: ${connectionsToday.length}`,
      connectionsToday.length,
      renderTable(
        ["USER", "CONNECTIONS"],
        connectionsToday.map(({ user, connections }) => [user, String(connections)]),
      ),
    ).replace(/: 0: none$/, ": none"),
  ].join("\n\n");
}

function renderServers(servers: readonly ServerHealth[], failures: readonly Failure[]): string {
  const rows = servers.map(({ server, problems, containers, accounts, pool, memory }) => [
    server,
    problems.length === 0 ? "well" : "LOOK",
    Object.entries(containers)
      .map(([state, count]) => `${count} ${state}`)
      .join(", ") || "none",
    String(accounts),
    `${formatBytes(pool.usedBytes)} of ${formatBytes(pool.totalBytes)}`,
    `${formatBytes(memory.availableBytes)} of ${formatBytes(memory.totalBytes)}`,
  ]);
  const silent = failures.map(({ subject, error }) => {
    return [subject, reportOf(error).kind === "unreachable" ? "UNREACHABLE" : "FAILED", "-", "-", "-", "-"];
  });
  const problems = servers.flatMap(({ server, problems }) => problems.map((problem) => `${server}: ${problem}`));
  const table = [...rows, ...silent].sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  return [
    renderTable(["SERVER", "HEALTH", "CONTAINERS", "ACCOUNTS", "POOL USED", "MEMORY FREE"], table),
    ...problems,
  ].join("\n");
}
