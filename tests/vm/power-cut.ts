import { spawn } from "node:child_process";

import { step } from "./step";
import type { TestServer } from "./test-server";

/** Says each number only after it is on the disk. */
const writer = `python3 -u -c '
import os, itertools
file = open("numbers", "w")
for number in itertools.count(1):
    print(number, file=file, flush=True)
    os.fsync(file.fileno())
    print(number)
'`;

export function powerCut(server: TestServer): void {
  step("whatever was acknowledged is there; same host key, same account, same container key", async () => {
    const hostKey = server.hostKey;
    const acknowledged = await cutWhileWriting(server, 50);
    const { status, said } = await server.start().startupEnds();
    expect({ status, said: status === 0 ? "" : said }).toEqual({ status: 0, said: "" });
    expect(server.hostKey).toBe(hostKey);
    // Both hops are pinned in the file that was exported before.
    const { stdout, code } = await server.ssh("cat note && tail -n 1 numbers");
    expect({ code, note: stdout.split("\n")[0] }).toEqual({ code: 0, note: "precious" });
    expect(Number(stdout.split("\n")[1])).toBeGreaterThanOrEqual(acknowledged);
    expect(await server.succeed("zpool status -x containarium")).toBe("pool 'containarium' is healthy");
  });
}

/** Cuts the power when so many writes were acknowledged; returns the last that was. */
async function cutWhileWriting(server: TestServer, least: number): Promise<number> {
  const person = spawn("ssh", ["-F", "alice.conf", "-o", "BatchMode=yes", "alice-dev", writer], {
    cwd: server.directory,
  });
  let heard = "";
  const last = () => Number(heard.slice(0, heard.lastIndexOf("\n")).split("\n").at(-1) ?? 0);
  try {
    await new Promise<void>((resolve, reject) => {
      person.stdout.on("data", (data: Buffer) => {
        heard += data.toString();
        if (last() >= least) resolve();
      });
      person.once("close", (code) => reject(new Error(`the writer ended (${code}) after ${last()}`)));
      setTimeout(() => reject(new Error(`only ${last()} writes in 120 s`)), 120_000).unref();
    });
    await server.vm.cutPower();
    return last();
  } finally {
    person.removeAllListeners("close");
    person.kill("SIGKILL");
  }
}
