import { realServices } from "../../bin/services";
import type { Services } from "../../bin/services";
import type { DesiredContainer } from "../../bin/stack/config-text";
import type { Stack } from "../../bin/stack/stack";
import { createContainer, Fleet } from "../../ops";
import type { ContainerSpec, Inventory } from "../../ops";
import { startFakeServer } from "../fakes/fake-server";
import type { FakeServer } from "../fakes/fake-server";

/**
 * A stack whose servers are fakes that answer over real SSH: everything but the engine is the real thing. Where the
 * command line alone is under test, `World` is quicker.
 */
export class FleetWorld {
  desired: DesiredContainer[] = [];
  /** Thrown by every recording, before the config is edited. */
  recordError: Error | undefined;
  /** What was recorded, by user. */
  readonly recorded: string[] = [];

  private constructor(readonly fakes: FakeServer[]) {}

  static async start(...names: string[]): Promise<FleetWorld> {
    return new FleetWorld(
      await Promise.all((names.length > 0 ? names : ["jump-1"]).map((name) => startFakeServer(name))),
    );
  }

  get fake(): FakeServer {
    return this.fakes[0]!;
  }

  readonly services: Services = { ...realServices, openStack: async ({ stack = "local" }) => this.stack(stack) };

  /** Makes a person on a server, and has the stack name them. */
  async add(spec: ContainerSpec, serverName = this.fake.address.name): Promise<void> {
    const fleet = new Fleet(this.inventory());
    await createContainer(await fleet.server(serverName), spec);
    await fleet.close();
    this.desired.push({ ...spec, server: serverName });
    for (const { helper, incus } of this.fakes) {
      helper.requests.length = 0;
      incus.requests.length = 0;
    }
  }

  close(): Promise<unknown> {
    return Promise.all(this.fakes.map((fake) => fake.close()));
  }

  private inventory(): Inventory {
    return {
      schema: 1,
      stack: "local",
      servers: this.fakes.map(({ address }, index) => ({ ...address, containerSubnet: `10.0.${index + 3}.0/24` })),
      defaults: { image: "debian/13", cpu: 4, memory: "4GiB", diskQuota: "20GB" },
    };
  }

  private stack(name: string): Stack {
    const stack: Stack = {
      name,
      root: this.fake.directory,
      inventory: this.inventory(),
      updateCommand: `npm run pulumi -- up --stack ${name}`,
      waitUntilUnlocked: async () => undefined,
      desired: async () => this.desired,
      record: async ({ put = [], edit = [], remove = [] }) => {
        if (this.recordError) throw this.recordError;
        for (const { user, apply } of edit) {
          this.desired = this.desired.map((entry) => (entry.user === user ? apply(entry) : entry));
        }
        const replaced = new Set([...remove, ...put.map(({ user }) => user)]);
        this.desired = [...this.desired.filter(({ user }) => !replaced.has(user)), ...put];
        this.recorded.push(...[...put, ...edit].map(({ user }) => user), ...remove);
      },
      recordAhead: async (change, timeoutMs) => ({
        finish: () => stack.record(change, timeoutMs).then(() => undefined),
        abandon: async () => undefined,
      }),
    };
    return stack;
  }
}
