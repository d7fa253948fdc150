import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

import { waitFor } from "../../ops/wait";
import { run, succeed } from "../e2e/clone";
import { commandLine } from "./operations";
import type { Operation } from "./model";
import type { Site } from "./site";

/** What happens to the server or the line to it. */
type Accident = "cut SSH" | "kill Incus" | "kill the server";

/** What happens to an operation on its way, so long after its begin, or after a moment of it. */
export type Fault =
  /** Once it has said so many lines, or one that contains a text. */
  | { kind: "kill the CLI"; line: number | string; delayMs: number }
  /** `after`: an operation of the host helper that has been answered, or a step of create: `[3/7]`. */
  | { kind: Accident; after?: string; delayMs: number }
  | { kind: "hold the account files"; seconds: number }
  | { kind: "a foreign account" };

/** What became of one run of an operation. */
export interface Outcome {
  /** Whether it came to its end and said so. */
  done: boolean;
  error?: unknown;
  /** Whether its end may be missing on record: whoever would write it was ended, or the line to the server was. */
  cutOff: boolean;
}

export async function outcomeOf(work: () => Promise<void>): Promise<Outcome> {
  try {
    await work();
    return { done: true, cutOff: false };
  } catch (error) {
    return { done: false, cutOff: false, error };
  }
}

/** Runs it as a command, in a process group that ends by force at the drawn moment, if it has not ended before. */
export async function killedCommand(
  site: Site,
  operation: Operation,
  { line, delayMs }: { line: number | string; delayMs: number },
): Promise<Outcome> {
  const args = [...commandLine(site, operation), ...site.target, "--verbose", "--yes"];
  const child = spawn(site.file("bin/containarium-ops"), args, {
    cwd: site.fleet.clone,
    env: { ...process.env, NO_COLOR: "1" },
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  let timer: NodeJS.Timeout | undefined;
  child.stderr.on("data", (data: Buffer) => {
    said += data.toString();
    const reached = typeof line === "number" ? said.split("\n").length > line : said.includes(line);
    if (reached) timer ??= setTimeout(() => process.kill(-child.pid!, "SIGKILL"), delayMs);
  });
  const limit = setTimeout(() => process.kill(-child.pid!, "SIGKILL"), 180_000);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  clearTimeout(limit);
  if (code === null) return { done: false, cutOff: true };
  const error = code === 0 ? undefined : new Error(`exit ${code}: ${said}`);
  return { done: code === 0, cutOff: false, error };
}

/** Does that to the server while the work is under way; waits for the work's end and until the server answers again. */
export async function withFault(
  site: Site,
  { kind, after, delayMs }: { kind: Accident; after?: string; delayMs: number },
  work: () => Promise<void>,
): Promise<Outcome> {
  const reached = after === undefined ? undefined : site.moment(after);
  const ended = outcomeOf(work);
  await Promise.race([reached, ended]);
  await sleep(delayMs);
  if (kind === "cut SSH") await cutSsh(site);
  else if (kind === "kill Incus") await site.sh("systemctl kill --kill-whom=main --signal=KILL incus.service");
  else await killServer(site);
  const outcome = await ended;
  await site.reopen();
  // Without its line it can be done, and not be able to write so.
  return { ...outcome, cutOff: kind !== "kill Incus" };
}

/** The processes of sshd for the administrator's sessions, as the kernel would end them. */
async function cutSsh(site: Site): Promise<void> {
  const [, destination = ""] = site.target;
  await site.sh(`pkill -KILL -u ${destination.split("@")[0]} sshd || true`);
}

async function killServer(site: Site): Promise<void> {
  const incus = (...args: string[]) => succeed(["incus", ...args, site.fleet.machine], { cwd: "/" });
  await incus("stop", "--force");
  await incus("start");
  const ready = ["incus", "exec", site.fleet.machine, "--", "test", "-e", "/run/containarium/ready"];
  await waitFor(async () => (await run(ready, { cwd: "/" })).code === 0, {
    timeoutMs: 240_000,
    intervalMs: 500,
    what: "the server to be ready again",
  });
}

/** As lckpwdf(3) does it; resolves when they are locked, to what waits for the end. */
export async function holdAccountFiles(site: Site, seconds: number): Promise<() => Promise<void>> {
  const hold =
    "import fcntl, sys, time; f = open('/etc/.pwd.lock', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print('locked', flush=True); time.sleep(float(sys.argv[1]))";
  const holder = spawn("incus", ["exec", site.fleet.machine, "--", "python3", "-c", hold, String(seconds)]);
  const ended = new Promise<void>((resolve) => holder.on("close", () => resolve()));
  await Promise.race([new Promise<void>((resolve) => holder.stdout.once("data", () => resolve())), ended]);
  return () => ended;
}

/** Somebody else's account, with a home and a key; resolves to what takes it away. */
export async function foreignAccount(site: Site, user: string): Promise<() => Promise<void>> {
  await site.sh(
    `useradd --create-home --shell /bin/bash ${user} && install -d -m 700 -o ${user} /home/${user}/.ssh && echo theirs > /home/${user}/.ssh/authorized_keys`,
  );
  return async () => void (await site.sh(`userdel --remove ${user}`));
}
