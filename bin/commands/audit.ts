import { parseUserName } from "../../ops/containers/user-name";
import { renderCsv } from "../output/csv";
import { printable } from "../output/printable";
import { renderTable } from "../output/table";
import type { AuditEvent } from "../services";
import { command } from "./command";
import type { Result } from "./command";
import { eachServer } from "./each-server";
import { parseSpanOptions, spanOptions } from "./time-span";

const kinds = { logins: ["login", "container-login"], failures: ["failed-login"], operations: ["operation"] } as const;
type Kind = keyof typeof kinds;

export const audit = command({
  usage: "audit [user]",
  describe: "Show who logged in, who failed to, and what was done to whose container",
  positional: { user: { describe: "login name; nobody named: everybody" } },
  options: {
    ...spanOptions,
    only: { choices: Object.keys(kinds) as Kind[], requiresArg: true, describe: "nothing else [default: all]" },
    csv: { type: "boolean", default: false, describe: "as a table for spreadsheets" },
  },
  examples: [
    ["$0 audit --since 2h", "of everybody"],
    ["$0 audit alice --since 2026-11-01 --until 2026-12-01 --csv", "alice's November"],
    ["$0 audit --only failures --json", "for scripts"],
  ],
  async run({ user, only, csv, ...args }, context): Promise<Result> {
    if (user !== undefined) parseUserName(user);
    const span = parseSpanOptions(args);
    const { io, progress, services } = context;
    const { results, failures } = await eachServer(async (server) => {
      const { events, leftOff } = await services.readAudit(server, { ...span, user }, { signal: io.signal });
      return { server: server.name, events, leftOff };
    }, context);
    const events = results
      .flatMap((result) => result.events)
      .filter(({ event }) => only === undefined || (kinds[only] as readonly string[]).includes(event))
      .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    for (const { server, leftOff } of results) {
      if (leftOff > 0) progress.note(`${server}: ${leftOff} older entries are left out; ask for a shorter time.`);
    }
    if (events.length === 0 && failures.length === 0) progress.note(`Nothing since ${span.since}.`);
    const leftOff = results.reduce((sum, result) => sum + result.leftOff, 0);
    const render = csv ? renderCsv : renderTable;
    const text = events.length === 0 && !csv ? "" : render(csv ? csvHead : head, events.map(csv ? csvRow : row));
    return { json: { ...span, events, leftOff }, text, failures, succeeded: results.length };
  },
});

const head = ["TIME", "SERVER", "EVENT", "USER", "FROM", "MAY REACH", "DETAIL"];

function row(event: AuditEvent): string[] {
  const { time, server, event: kind, user = "-", address = "-" } = event;
  const target = event.event === "login" ? (event.target ?? "-") : "-";
  const name = kind === "operation" ? event.operation : kind;
  return [time, server, name, user, address, target, detailOf(event)].map(printable);
}

/** In words what the columns before it do not say. */
function detailOf(event: AuditEvent): string {
  const more = "more" in event && event.more ? `and ${event.more} more like it` : "";
  switch (event.event) {
    case "login":
      return [event.key, event.endedAt && `until ${event.endedAt}`, more].filter(Boolean).join(", ");
    case "failed-login":
      return [event.reason, more].filter(Boolean).join(", ");
    case "container-login":
      return `${event.key}, by the container's own journal`;
    case "operation":
      return [event.result, event.detail, event.message, `by ${event.by}`].filter(Boolean).join(", ");
  }
}

const csvHead = [
  ...["time", "ended_at", "server", "event", "user", "address", "key", "may_reach"],
  ...["operation", "result", "reason", "detail", "by", "more"],
];

function csvRow(event: AuditEvent): string[] {
  const {
    endedAt,
    target,
    message,
    reason = message,
    ...others
  } = event as Record<string, string | number | undefined>;
  const cells: Record<string, string | number | undefined> = {
    ...others,
    reason,
    ended_at: endedAt,
    may_reach: target,
  };
  return csvHead.map((name) => String(cells[name] ?? ""));
}
