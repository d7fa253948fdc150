import type { ErrorKind } from "../errors";

/** `skipped`: what it needs is not well, so it was not tried. */
export type CheckState = "ok" | "warning" | "failed" | "skipped";

/** One thing that was looked at. */
export interface Check {
  server: string;
  /** What was looked at: `Incus`, `alice: way in`. */
  name: string;
  state: CheckState;
  /** One line: what is, or what is wrong. */
  detail: string;
  /** What to do; lines that are commands are indented: `sudo ...` on the server, `containarium-ops ...` here. */
  remedy?: string;
}

/** A check as a server reports it; `depends` are checks of other servers. */
export interface ServerCheck extends Omit<Check, "server"> {
  depends: { server: string; check: string }[];
}

/** Where nobody was asked, no check is known by name: this one stands for all of them. */
export const EVERYTHING_ELSE = "everything else";

/**
 * What the servers said of themselves, with what each says of another settled: a check that fails because something on
 * another server is not well is not tried, and never red beside its cause. Pure.
 *
 * @param checks by server, in order
 */
export function settle(checks: ReadonlyMap<string, readonly ServerCheck[]>): Check[] {
  const isWell = (server: string, name: string): boolean => {
    // A server that is not ours to ask says nothing about ours.
    const known = checks.get(server);
    if (known === undefined) return true;
    const state = known.find((check) => check.name === name)?.state;
    return state === "ok" || state === "warning";
  };
  return [...checks].flatMap(([server, own]) =>
    own.map(({ depends, ...check }): Check => {
      const cause = depends.find((need) => !isWell(need.server, need.check));
      if (check.state !== "failed" || cause === undefined) return { server, ...check };
      return { server, name: check.name, state: "skipped", detail: `needs ${cause.check} of ${cause.server}` };
    }),
  );
}

/** What a report comes to: the worst there is, undefined when all is well. A warning is well. */
export function verdictOf(checks: readonly Check[], unreached: readonly ErrorKind[]): ErrorKind | undefined {
  const failed = checks.filter(({ state, name }) => state === "failed" && name !== "SSH");
  return failed.length > 0 ? "failed" : unreached[0];
}
