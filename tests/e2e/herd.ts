import { execFileSync } from "node:child_process";

import { localNames } from "../../components/local/address-plan";
import { waitFor } from "../../ops/wait";
import { type Result, run, stack } from "./clone";
import type { TestFleet } from "./fleet";

/** What became of everybody who logged in at the same moment. */
export interface Herd {
  /** Logins that did not end in the person's own container, with what was said. */
  failed: Result[];
  /** Addresses that the server turns away by now. */
  banned: string;
  logins: number;
}

/**
 * Ends a server without notice; when it is ready again, every one of those people logs in `each` times at once, all from
 * one address that the server makes no exception for.
 */
export async function everybodyComesBack(
  fleet: TestFleet,
  { server, people, each }: { server: string; people: string[]; each: number },
): Promise<Herd> {
  const sh = async (script: string) => await fleet.on(server, ["sh", "-c", script]);
  const id = Number(server.replace("jump-", ""));
  const address = fleet.addressOf(id).replace(/\d+$/, "251");
  const configs = new Map<string, string>();
  for (const user of people) configs.set(user, await fleet.exported(user));

  const boot = (await sh("stat -c %Y /proc/1")).stdout;
  execFileSync("incus", ["restart", "--force", `${stack}-${server}`]);
  await waitFor(async () => (await sh("test -e /run/containarium/ready && stat -c %Y /proc/1")).stdout > boot, {
    what: `${server} to be ready again`,
    timeoutMs: 240_000,
  });
  const device = localNames(stack).network;
  execFileSync("ip", ["address", "replace", `${address}/32`, "dev", device]);
  try {
    const login = async (user: string): Promise<Result> => {
      // As long as the server itself waits for a login.
      const ssh = ["ssh", "-F", configs.get(user)!, "-o", "BatchMode=yes", "-o", "ConnectTimeout=60"];
      const jump = [...ssh, "-o", `BindAddress=${address}`, "-W", "%h:%p", `${user}-jump`].join(" ");
      return await run([...ssh, "-o", `ProxyCommand=${jump}`, `${user}-dev`, "hostname"], { cwd: fleet.clone });
    };
    const everybody = people.flatMap((user) => Array.from({ length: each }, () => user));
    const results = await Promise.all(everybody.map(async (user) => ({ user, ...(await login(user)) })));
    const seen = await sh(`journalctl -u ssh --since=-5min -o cat --no-pager | grep -c 'from ${address} '`);
    if (Number(seen.stdout) === 0) throw new Error(`nobody came from ${address}`);
    return {
      logins: results.length,
      failed: results.filter(({ user, stdout }) => stdout !== `${user}-container\n`),
      banned: (await sh(`nft list ruleset | grep -F ${address}; fail2ban-client banned | grep -F ${address}`)).stdout,
    };
  } finally {
    execFileSync("ip", ["address", "delete", `${address}/32`, "dev", device]);
  }
}
