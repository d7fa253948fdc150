import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { realServices } from "../../bin/services";
import { FakeEngine } from "../fakes/fake-engine";
import { startFakeServer } from "../fakes/fake-server";
import type { FakeServer } from "../fakes/fake-server";
import { ALICE_KEY, BOB_KEY, keyPair } from "../fakes/keys";
import { run } from "./harness";

/** What a command costs the servers and the engine; no clock takes part in it. */
export interface Counts {
  /** Starts of the Pulumi engine. */
  engine: number;
  /** SSH logins. */
  logins: number;
  /** Requests to the REST API of Incus. */
  rest: number;
  /** Runs of the host helper. */
  helper: number;
  /** TCP connections to containers, over the same SSH connection. */
  dials: number;
}

/** A stack of fake servers and a fake engine, which count what is asked of them; everything between is the real thing. */
export class CountedFleet {
  private constructor(
    private readonly fakes: FakeServer[],
    private readonly engine: FakeEngine,
  ) {}

  static async start(servers: number): Promise<CountedFleet> {
    const names = Array.from({ length: servers }, (_, index) => `jump-${index + 1}`);
    const fakes = await Promise.all(names.map((name) => startFakeServer(name)));
    const engine = new FakeEngine(mkdtempSync(path.join(tmpdir(), "containarium-counts-")), {
      schema: 1,
      stack: "local",
      servers: fakes.map(({ address }, index) => ({ ...address, containerSubnet: `10.0.${index + 3}.0/24` })),
      defaults: { image: "debian/13", cpu: 4, memory: "4GiB", diskQuota: "20GB" },
    });
    const others = Array.from({ length: 6 }, (_, index) => [`user${index + 1}`, keyPair().publicKey] as const);
    for (const [name, key] of [["alice", ALICE_KEY], ["bob", BOB_KEY], ...others] as const)
      writeFileSync(path.join(engine.root, `${name}.pub`), key);
    return new CountedFleet(fakes, engine);
  }

  /** Runs a command line, and says what it cost. */
  async count(commandLine: string): Promise<Counts> {
    this.engine.forget();
    for (const fake of this.fakes) {
      fake.incus.requests.length = fake.helper.requests.length = fake.helper.operations.length = 0;
      fake.logins = fake.dials = 0;
    }
    const argv = [...commandLine.split(" "), "--stack", "local"];
    const { root, environment } = this.engine;
    const { code, stderr } = await run(argv, { services: realServices }, root, { env: environment });
    if (code !== 0) throw new Error(`${commandLine}: exit ${code}\n${stderr}`);
    const sum = (of: (fake: FakeServer) => number) => this.fakes.reduce((total, fake) => total + of(fake), 0);
    return {
      engine: this.engine.starts.length,
      logins: sum(({ logins }) => logins),
      rest: sum(({ incus }) => incus.requests.length),
      helper: sum(({ helper }) => helper.requests.length + helper.operations.length),
      dials: sum(({ dials }) => dials),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.fakes.map((fake) => fake.close()));
    this.engine.remove();
  }
}
