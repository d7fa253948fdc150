import { type ChildProcess, spawn } from "node:child_process";

import { expectEverybodyBack } from "./people";
import { step } from "./step";
import type { Login, TestServer } from "./test-server";

/** Says each number only after it is on the disk. */
const writer = "n=0; while n=$((n + 1)); do echo $n >> numbers && sync numbers && echo $n || exit; done";

/** @param comeBack what happens then, until the server is ready again */
export function powerCut(server: TestServer, comeBack: () => Promise<void> = () => server.comesUp()): void {
  step("a power cut while people write: all that was acknowledged is there, everybody as they were", async () => {
    const people = server.users.map((login) => new Writer(server, login));
    try {
      await Promise.all(people.map((person) => person.hasWritten(50)));
      await server.vm.cutPower();
    } finally {
      for (const person of people) person.stop();
    }
    await comeBack();
    expect(server.hostKey).toBe(server.firstHostKey);
    await expectEverybodyBack(server);
    for (const { login, last } of people) {
      const { stdout, code } = await server.ssh("tail -n 1 numbers", login);
      expect({ code, login }).toEqual({ code: 0, login });
      expect(Number(stdout)).toBeGreaterThanOrEqual(last());
    }
    expect(await server.succeed("zpool status -x containarium")).toBe("pool 'containarium' is healthy");
  });
}

class Writer {
  readonly #ssh: ChildProcess;
  #heard = "";

  constructor(
    server: TestServer,
    readonly login: Login,
  ) {
    const [program = "", ...args] = server.sshCommand(login, writer);
    this.#ssh = spawn(program, args, { cwd: server.directory });
    this.#ssh.stdout?.on("data", (data: Buffer) => (this.#heard += data.toString()));
  }

  /** The last number that was acknowledged. */
  readonly last = () => Number(this.#heard.slice(0, this.#heard.lastIndexOf("\n")).split("\n").at(-1) ?? 0);

  hasWritten(least: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#ssh.stdout?.on("data", () => this.last() >= least && resolve());
      this.#ssh.once("close", (code) => reject(new Error(`${this.login}'s writer ended (${code}) at ${this.last()}`)));
      setTimeout(() => reject(new Error(`${this.login}: only ${this.last()} writes in 300 s`)), 300_000).unref();
    });
  }

  stop(): void {
    this.#ssh.kill("SIGKILL");
  }
}
