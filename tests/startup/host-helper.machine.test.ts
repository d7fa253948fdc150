import { describeBans } from "./machine/bans";
import { describeFirewall } from "./machine/firewall";
import { describeJumpAccount } from "./machine/jump-account";
import { describeLifecycle } from "./machine/lifecycle";
import { Machine } from "./machine/machine";

// A disposable Debian 13 system container on this machine's Incus (the server's packages in it, nothing else done).
const name = process.env["CONTAINARIUM_TEST_MACHINE"];
jest.setTimeout(30_000);
const required = process.env["CONTAINARIUM_REQUIRE"] === "1";

if (name === undefined || name === "") {
  const reason = "CONTAINARIUM_TEST_MACHINE names no Incus instance to attack";
  if (required) test("the host helper on a real machine", () => Promise.reject(new Error(reason)));
  else {
    console.warn(`skipped: ${reason}`);
    test.skip(`the host helper on a real machine (${reason})`, () => undefined);
  }
} else {
  describe(`on the machine ${name}`, () => {
    const machine = new Machine(name);
    let key = "";
    beforeAll(async () => {
      machine.prepare();
      key = await machine.output("cat /usr/local/lib/stand-ins/keys/laptop.pub");
      const answer = await machine.helper({ op: "account.put", user: "alice", keys: [key], target: "10.0.3.10" });
      expect(answer).toMatchObject({ ok: true });
    }, 60_000);

    describeLifecycle(machine, () => key);
    describeJumpAccount(machine);
    describeFirewall(machine);
    describeBans(machine);
  });
}
