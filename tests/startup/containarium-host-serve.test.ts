import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { Sandbox } from "./sandbox";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAxYMvpV/ari0kdpfUjQl33M38YVH1eIIjnQZX+O2Ir0 alice@laptop";
const PUT = { op: "account.put", user: "alice", keys: [KEY], target: "10.0.3.10" };

jest.setTimeout(30_000);

let server: Sandbox;
beforeEach(() => {
  server = new Sandbox();
});
afterEach(() => server.remove());

describe("a helper that stays", () => {
  const began = () => {
    const helper = server.serve();
    const lines = createInterface({ input: helper.stdout })[Symbol.asyncIterator]();
    const answer = async () => /^(\S+) (.*)$/.exec(String((await lines.next()).value))!.slice(1);
    return { helper, answer, ask: (text: string) => helper.stdin.write(`${text}\n`) };
  };

  test("answers one request after the other, each with its number, and ends when nobody can ask any more", async () => {
    const { helper, answer, ask } = began();
    ask(`1 ${JSON.stringify(PUT)}`);
    const [first, created] = await answer();
    expect([first, JSON.parse(created!)]).toMatchObject(["1", { ok: true, result: { created: true } }]);
    ask("2 {");
    const [second, refused] = await answer();
    expect([second, JSON.parse(refused!)]).toMatchObject(["2", { ok: false, error: { code: "invalid" } }]);
    ask('3 {"op":"account.check","user":"alice"}');
    const [third, found] = await answer();
    expect([third, JSON.parse(found!)]).toMatchObject(["3", { ok: true, result: { state: "ours" } }]);
    helper.stdin.end();
    expect((await once(helper, "close"))[0]).toBe(0);
  });

  test("answers the quick ones while a slow one goes on, which goes on though nobody waits any more", async () => {
    const { helper, answer, ask } = began();
    mkdirSync(path.join(server.root, "run/containarium"), { recursive: true });
    const holder = spawn("flock", [path.join(server.root, "run/containarium/host.lock"), "cat"]);
    holder.stdin.write("held\n");
    await once(holder.stdout, "data");
    ask(`slow ${JSON.stringify(PUT)}`);
    ask('quick {"op":"account.check","user":"alice"}');
    const [number, free] = await answer();
    expect([number, JSON.parse(free!)]).toMatchObject(["quick", { ok: true, result: { state: "free" } }]);
    helper.stdin.end();
    helper.stdout.destroy();
    holder.stdin.end();
    await once(helper, "close");
    expect(server.request({ op: "account.check", user: "alice" })).toMatchObject({ result: { state: "ours" } });
  });
});
