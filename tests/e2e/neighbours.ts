import { until } from "../until";
import type { TestFleet } from "./fleet";

/**
 * Greedy is root in her container and takes what she can get. Alice, on the same server, must not feel it: her login
 * takes at most twice as long as with Greedy's container frozen, measured in turns (frozen, free, frozen, ...), in the
 * median.
 * Needs the first server; leaves nobody behind.
 */
export function neighbours(fleet: TestFleet): void {
  const container = "greedy-container";
  /** Other tests run beside these: where so many turns say no, more are asked. */
  const turns = 7;
  const mostTurns = 25;
  const incus = (...args: string[]) => fleet.onServer(["incus", ...args]);
  /** As root, not below any unit of her systemd: only the container's own limits hold. */
  const attackWith = (command: string) =>
    incus("exec", container, "--", "sh", "-c", `setsid bash -c '${command}' >/dev/null 2>&1 </dev/null &`);
  const state = async () =>
    JSON.parse((await incus("query", `/1.0/instances/${container}/state`)).stdout) as {
      processes: number;
      memory: { usage: number };
    };

  beforeAll(async () => {
    fleet.newKey("greedy");
    const limits = ["--memory", "1GiB", "--disk-quota", "3GB", "--server", "jump-1"];
    const { code, stderr } = await fleet.ops(["create", "greedy", "--ssh-key", "greedy.pub", ...limits]);
    if (code !== 0) throw new Error(stderr);
  });
  afterEach(async () => {
    await incus("stop", "--force", container);
    await incus("start", container);
  });
  afterAll(async () => {
    await incus("stop", "--force", container);
    await fleet.ops(["delete", "greedy", "--force"]);
  });

  /** Its size so far: what the quota counts is known only when the file system has committed. */
  const filled = async () => Number((await incus("exec", container, "--", "stat", "-c", "%s", "/root/fill")).stdout);

  test.each<[string, string, () => Promise<boolean>]>([
    ["a fork bomb", "bomb() { while :; do bomb & done; }; bomb", async () => (await state()).processes > 2000],
    [
      "a memory hog",
      'while :; do python3 -c "a = []\nwhile True: a.append(bytearray(1 << 20))"; done',
      async () => (await state()).memory.usage > 700_000_000,
    ],
    [
      "a disk filler",
      "while :; do head -c 8G /dev/urandom > /root/fill; sync; rm -f /root/fill; done",
      async () => (await filled()) > 200_000_000,
    ],
  ])("%s does not slow a neighbour's login more than twice", async (_what, command, isUnderWay) => {
    await attackWith(command);
    await until(isUnderWay, 240, "the attack to be under way");
    const login = async () => {
      const { code, stderr, seconds } = await fleet.ssh(["alice-dev", "true"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return seconds;
    };
    const quiet: number[] = [];
    const attacked: number[] = [];
    const isSlow = () => median(attacked) > 2 * median(quiet);
    for (let turn = 0; turn < turns || (turn < mostTurns && isSlow()); turn++) {
      await incus("pause", container);
      quiet.push(await login());
      await incus("resume", container);
      attacked.push(await login());
    }
    expect({ attacked, quiet, isSlow: isSlow() }).toMatchObject({ isSlow: false });
  });
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
