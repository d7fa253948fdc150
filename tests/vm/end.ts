import { spawn } from "node:child_process";

import { until } from "../until";
import { step } from "./step";
import type { TestServer } from "./test-server";

/** Google's own is 30 s; docs/shutdown.md takes 25 of them. */
const budgetSeconds = 30;

/** Both leave the server switched off. */
export function powerButton(server: TestServer): void {
  step("the power button: who is at a terminal is told, and it is off in time", () =>
    endsInTime(server, () => server.vm.pressPowerButton()),
  );
}

export function preempted(server: TestServer): void {
  step("Google's notice of a preemption, without the power button: the same", async () => {
    await until(() => server.metadata.watchers > 0, 60, "a server that waits for the notice");
    await endsInTime(server, () => server.metadata.preempt());
  });
}

async function endsInTime(server: TestServer, begin: () => Promise<void> | void): Promise<void> {
  const [program = "", ...args] = server.sshCommand("alice", "-tt", "echo here; cat");
  const terminal = spawn(program, args, { cwd: server.directory });
  let shown = "";
  terminal.stdout.on("data", (data: Buffer) => (shown += data.toString()));
  try {
    await until(() => shown.includes("here"), 120, "alice's terminal");
    await begin();
    const seconds = await server.vm.isOff(120);
    process.stderr.write(`  off after ${Math.round(seconds)}s\n`);
    expect(shown).toContain("*** This server stops within seconds: save your work now.");
    expect(seconds).toBeLessThan(budgetSeconds);
  } finally {
    terminal.kill("SIGKILL");
  }
}
