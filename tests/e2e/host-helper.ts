import { localImages } from "../../components/local/images";
import { waitForSystemd } from "../../components/local/instance";
import { machineImageAlias } from "../../components/local/machine-image";
import { describeBans } from "../startup/machine/bans";
import { describeFirewall } from "../startup/machine/firewall";
import { describeJumpAccount } from "../startup/machine/jump-account";
import { describeLifecycle } from "../startup/machine/lifecycle";
import { Machine } from "../startup/machine/machine";
import { run, stack, succeed } from "./clone";
import { localNames } from "../../components/local/address-plan";

/** The startup pieces on a machine of their own, attacked with stand-ins that answer: see tests/startup/machine/. */
export function hostHelper(): void {
  const name = `${stack}-host-helper`;
  const machine = new Machine(name);
  let key = "";

  beforeAll(async () => {
    const image = machineImageAlias(localImages().machine.version);
    const privileged = ["-c", "security.privileged=true", "-c", "security.nesting=true"];
    await run(["incus", "delete", "-f", name], { cwd: "/" });
    await succeed(["incus", "launch", image, name, "-s", localNames(stack).pool, "--no-profiles", ...privileged], {
      cwd: "/",
    });
    await waitForSystemd(name);
    machine.prepare();
    key = await machine.output("cat /usr/local/lib/stand-ins/keys/laptop.pub");
    const answer = await machine.helper({ op: "account.put", user: "alice", keys: [key], target: "10.0.3.10" });
    expect(answer).toMatchObject({ ok: true });
  });
  afterAll(() => run(["incus", "delete", "-f", name], { cwd: "/" }));

  describeLifecycle(machine, () => key);
  describeJumpAccount(machine);
  describeFirewall(machine);
  describeBans(machine);
}
