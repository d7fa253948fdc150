import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import type { Properties } from "./engine-protocol";

export interface SshOutcome {
  stdout: string;
  stderr: string;
}

/**
 * Runs a command over SSH as the real provider does: the pinned host key and no other, a few tries until somebody
 * answers, and an exit code other than 0 is an error.
 */
export async function runBySsh(command: string, connection: Properties, inputs: Properties): Promise<SshOutcome> {
  const { host, user = "root", port = 22, hostKey, privateKey, dialErrorLimit = 10, perDialTimeout = 15 } = connection;
  if (typeof hostKey !== "string") throw new Error("no host key is pinned: whoever answers would be trusted");
  const work = mkdtempSync(path.join(os.tmpdir(), "containarium-command-"));
  try {
    const [knownHosts, identity] = [path.join(work, "known_hosts"), path.join(work, "identity")];
    writeFileSync(knownHosts, `server ${hostKey}\n`);
    writeFileSync(identity, `${String(privateKey).trimEnd()}\n`, { mode: 0o600 });
    const options = ["BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "StrictHostKeyChecking=yes",
      "HostKeyAlias=server", `UserKnownHostsFile=${knownHosts}`, "GlobalKnownHostsFile=/dev/null",
      `ConnectTimeout=${String(perDialTimeout)}`, "ServerAliveInterval=15", "LogLevel=ERROR"]; // prettier-ignore
    const environment = Object.entries((inputs.environment ?? {}) as Record<string, string>);
    const args = ["-F", "/dev/null", "-i", identity, "-p", String(port), ...options.flatMap((option) => ["-o", option]),
      ...environment.flatMap(([name, value]) => ["-o", `SetEnv=${name}=${value}`]),
      `${String(user)}@${String(host)}`, command]; // prettier-ignore
    for (let attempt = 1; ; attempt++) {
      const { code, ...outcome } = await ssh(args, inputs.stdin as string | undefined);
      if (code === 0) return outcome;
      const unreachable = code === 255 && !/verification failed|Permission denied/.test(outcome.stderr);
      if (!unreachable || attempt >= Number(dialErrorLimit)) throw failure(code, outcome);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  } finally {
    rmSync(work, { recursive: true });
  }
}

function ssh(args: string[], stdin = ""): Promise<SshOutcome & { code: number }> {
  return new Promise((resolve) => {
    const child = execFile("ssh", args, { maxBuffer: 16 * 1024 * 1024 }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
    child.stdin?.end(stdin);
  });
}

function failure(code: number, { stdout, stderr }: SshOutcome): Error {
  const said = [...stderr.trim().split("\n"), ...stdout.trim().split("\n")].filter(Boolean).slice(-20).join("\n");
  return new Error(`Process exited with status ${code}: ${said}`);
}
