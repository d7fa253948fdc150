import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

import { until } from "./until";

/** Runs `work` with the id of a process that has ended and that nobody has asked about. */
export async function withZombie(work: (pid: number) => unknown): Promise<void> {
  // The shell becomes a program that never asks about the child it had as a shell; the child ends when it has.
  const child = "until grep -q sleep /proc/$$/comm; do sleep 0.01; done";
  const parent = spawn("sh", ["-c", `(${child}) & echo $!; exec sleep 60`], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    const [pid] = (await once(parent.stdout, "data")) as [Buffer];
    await until(() => / Z /.test(readFileSync(`/proc/${Number(pid)}/stat`, "utf8")), 20, "it to end");
    await work(Number(pid));
  } finally {
    parent.kill("SIGKILL");
  }
}
