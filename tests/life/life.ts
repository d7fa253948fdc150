import { setTimeout as sleep } from "node:timers/promises";

import { ContainariumError, containerName } from "../../ops";
import type { TestFleet } from "../e2e/fleet";
import {
  type Fault,
  foreignAccount,
  holdAccountFiles,
  killedCommand,
  outcomeOf,
  type Outcome,
  withFault,
} from "./faults";
import * as invariants from "./invariants";
import { after, afterIncusBegan, doubting, nobody, type Operation, type Person, type World } from "./model";
import { keysInside, type Observed, Observer } from "./observe";
import { isBeingDone, perform, wasDoneBefore } from "./operations";
import { Site } from "./site";

/** An account of the server itself that is there all the time. */
const STRANGER = "life-stranger";
/** How long a server may take after its boot until everybody runs again. */
const POWER_LIMIT_MS = 120_000;
/** How long Incus may take to begin with somebody at whom an operation was. */
const BUSY_LIMIT_MS = 15_000;
/** What may keep a person out, or let somebody else in. */
const WAY_IN: ReadonlySet<Operation["kind"]> = new Set([
  "create", "start", "restart", "keys add", "keys remove", "keys replace", "snapshot restore", "restore",
]); // prettier-ignore

/** One life on a server: does what it is told, with faults, and looks at the invariants after each. */
export class Life {
  world: World = nobody;
  readonly history: string[] = [];
  private readonly observer: Observer;
  private foreign: string[] = [];
  /** People of the fleet from before. */
  private others: string[] = [];

  private constructor(readonly site: Site) {
    this.observer = new Observer(site);
  }

  static async begin(fleet: TestFleet): Promise<Life> {
    const life = new Life(await Site.of(fleet));
    await foreignAccount(life.site, STRANGER);
    const observed = await life.observer.look();
    life.observer.takeRecorded();
    life.foreign = invariants.foreignThings(observed);
    life.others = invariants.residentsOf(observed).map(({ user }) => user);
    return life;
  }

  /** Leaves nobody behind. */
  async end(): Promise<void> {
    await this.site.reopen();
    for (const user of Object.keys(this.world.people)) {
      await perform(this.site, this.world, { kind: "delete", user }).catch(() => undefined);
    }
    await this.site.sh(`userdel --remove ${STRANGER}`);
    await this.site.close();
  }

  /** Does one thing, again where a fault kept it from its end, and looks whether all is as it must be. */
  async step(wanted: Operation, fault?: Fault): Promise<void> {
    const began = Date.now();
    this.history.push(`${JSON.stringify(wanted)}${fault === undefined ? "" : ` with ${JSON.stringify(fault)}`}`);
    const before = this.world;
    const first = await this.run(wanted, fault);
    const outcomes = [first];
    let operation = wanted;
    let again = fault !== undefined && (!first.done || isPower(fault)) && wanted.kind !== "bad input";
    if (wanted.kind === "write") {
      // It must not be written twice; and who does not run now writes nothing.
      again = !first.done && this.world.people[wanted.user]!.running;
      if (!first.done) this.world = doubting(this.world, wanted.user, wanted.note);
      operation = first.done ? wanted : { ...wanted, note: `${wanted.note}-again` };
    }
    if (again) outcomes.push(...(await this.again(operation)));
    if (first.done || again || fault === undefined) this.world = after(this.world, operation);
    const problems = [
      ...(mayFail(fault) || first.error === undefined ? [] : [`it failed: ${explained(first.error)}`]),
      ...(await this.problemsAfter(operation, before, outcomes, fault)),
    ];
    this.history.push(`  ${((Date.now() - began) / 1000).toFixed(1)} s, ${outcomes.map(told).join(", then ")}`);
    if (problems.length > 0) throw new Error(problems.join("\n"));
  }

  /** Does one thing of which the world is not told: one that is killed on its way and that nobody runs again, or else. */
  async aside(operation: Operation, fault?: Fault): Promise<Outcome> {
    this.history.push(`${JSON.stringify(operation)} with ${JSON.stringify(fault)}, aside`);
    const outcome = await this.run(operation, fault);
    await this.observer.look();
    this.observer.takeRecorded();
    return outcome;
  }

  /** Everybody's login, notes, keys and walls. */
  async fullCheck(): Promise<void> {
    const observed = await this.observer.look();
    const problems = this.problemsSeen(observed);
    for (const user of Object.keys(this.world.people)) problems.push(...(await this.problemsOfPerson(user)));
    if (problems.length > 0) throw new Error(problems.join("\n"));
  }

  private async run(operation: Operation, fault: Fault | undefined): Promise<Outcome> {
    const work = () => perform(this.site, this.world, operation);
    if (fault === undefined) return outcomeOf(work);
    switch (fault.kind) {
      case "kill the CLI":
        return killedCommand(this.site, operation, fault);
      case "hold the account files": {
        const released = await holdAccountFiles(this.site, fault.seconds);
        const outcome = await outcomeOf(work);
        await released();
        return outcome;
      }
      case "a foreign account":
        return this.besideForeignAccount(operation.user, work);
      case "cut SSH":
      case "kill Incus":
      case "kill the server": {
        const outcome = await withFault(this.site, fault, work);
        if (isPower(fault)) await this.untilPowered(operation.user, { boot: fault.kind === "kill the server" });
        return outcome;
      }
    }
  }

  /** What must end well now, whatever was before. */
  private async again(operation: Operation): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const deadline = Date.now() + BUSY_LIMIT_MS; ; await sleep(300)) {
      const outcome = await outcomeOf(() => perform(this.site, this.world, operation));
      outcomes.push(outcome);
      if (outcome.done || wasDoneBefore(operation, outcome.error)) return outcomes;
      if (isBeingDone(outcome.error) && Date.now() < deadline) continue;
      // What comes after this test is not to be measured by its records.
      await this.observer.look();
      this.observer.takeRecorded();
      throw new Error(`(d) run again, it does not converge: ${explained(outcome.error)}`);
    }
  }

  /** The name is somebody else's: refused, and theirs is not touched. Then they go. */
  private async besideForeignAccount(user: string, work: () => Promise<void>): Promise<Outcome> {
    const remove = await foreignAccount(this.site, user);
    const before = invariants.foreignThings(await this.observer.look());
    const outcome = await outcomeOf(work);
    const touched = invariants.foreignUntouched(before, await this.observer.look());
    await remove();
    const refused = outcome.error instanceof ContainariumError && outcome.error.kind === "conflict";
    if (!refused) touched.push(`a name that is somebody else's: ${outcome.done ? "taken" : explained(outcome.error)}`);
    if (touched.length > 0) throw new Error(touched.map((problem) => `(f) ${problem}`).join("\n"));
    return outcome;
  }

  /** Until everybody runs who starts with Incus; the one at whom an operation was may be anything. */
  private async untilPowered(busy: string, { boot }: { boot: boolean }): Promise<void> {
    this.world = afterIncusBegan(this.world, { boot });
    const { [busy]: one, ...people } = this.world.people;
    const wait = async (world: World, limitMs: number): Promise<string[]> => {
      for (const deadline = Date.now() + limitMs; ; await sleep(300)) {
        const problems = invariants.power(world, await this.observer.look());
        if (problems.length === 0 || Date.now() > deadline) return problems;
      }
    };
    const problems = await wait({ people }, POWER_LIMIT_MS);
    if (problems.length > 0) throw new Error(`(d) after the fault: ${problems.join("\n")}`);
    if (one !== undefined) await wait({ people: { [busy]: one } }, BUSY_LIMIT_MS);
  }

  private async problemsAfter(
    { kind, user, ...rest }: Operation,
    before: World,
    outcomes: Outcome[],
    fault: Fault | undefined,
  ): Promise<string[]> {
    // A person's login shows whether they can come in; where nothing has touched that, the files on the server do.
    const person = fault !== undefined || WAY_IN.has(kind) ? this.problemsOfPerson(user) : [];
    const [observed, problemsOfPerson] = await Promise.all([this.observer.look(), person]);
    const runs = { done: 0, failed: 0, cutOff: 0, again: 0 };
    outcomes.forEach((outcome, index) => {
      // A note is no operation of an administrator's.
      if (kind === "write") return;
      if (outcome.cutOff) runs.cutOff += 1;
      else if (outcome.done && kind === "delete" && index > 0) runs.again += 1;
      else if (outcome.done && kind !== "bad input") runs.done += 1;
      else runs.failed += 1;
    });
    const operation = kind === "bad input" ? undefined : kind;
    const recorded = this.observer.takeRecorded();
    const lost = kind.startsWith("keys re") && "key" in rest ? this.keysLost(user, before) : [];
    return [
      ...this.problemsSeen(observed),
      ...problemsOfPerson,
      ...(fault === undefined ? await this.problemsOfLostKeys(user, lost) : []),
      ...invariants.oneBeginOneEnd({ operation, user, ...runs }, recorded).map((problem) => `(e) ${problem}`),
    ];
  }

  private problemsSeen(observed: Observed): string[] {
    const keyData = (user: string, key: number) => invariants.dataOf(this.site.publicKey(user, key));
    return [
      ...invariants.oneToOne(this.world, observed, keyData, this.others).map((problem) => `(a) ${problem}`),
      ...invariants.ownAddressOnly(observed).map((problem) => `(b) ${problem}`),
      ...invariants.power(this.world, observed).map((problem) => `(d) ${problem}`),
      ...invariants.foreignUntouched(this.foreign, observed).map((problem) => `(f) ${problem}`),
    ];
  }

  /** The keys inside, a real login with the newest one, what they wrote, and the way to somebody else. */
  private async problemsOfPerson(user: string): Promise<string[]> {
    const person = this.world.people[user];
    if (person === undefined) return [];
    const [keys, login, way] = await Promise.all([
      this.keysInside(user, person),
      person.running ? this.login(user, person) : [],
      person.running ? this.wayToNeighbour(user, person) : [],
    ]);
    return [...keys, ...login, ...way];
  }

  private async keysInside(user: string, { keys }: Person): Promise<string[]> {
    const wanted = keys.map((key) => invariants.dataOf(this.site.publicKey(user, key)));
    const found = (await keysInside(this.site.server, containerName(user), user)).map(invariants.dataOf);
    return invariants.differences(`keys of ${user} in the container`, wanted, found).map((problem) => `(a) ${problem}`);
  }

  private async login(user: string, person: Person): Promise<string[]> {
    const { stdout, stderr } = await this.site.ssh(user, person.keys.at(-1)!, [
      `${user}-dev`,
      "whoami; cat notes 2>&-",
    ]);
    const [who, ...notes] = stdout.split("\n").filter((line) => line !== "");
    if (who !== user) return [`(a) ${user} cannot log in: ${stderr}`];
    return invariants.keptNotes(user, person, notes).map((problem) => `(c) ${problem}`);
  }

  private async wayToNeighbour(user: string, { keys }: Person): Promise<string[]> {
    const address = this.observer.addresses.find((one) => one.user !== user)?.address ?? "127.0.0.1";
    const { code, stdout, stderr } = await this.site.ssh(user, keys.at(-1)!, ["-W", `${address}:22`, `${user}-jump`]);
    const refused = code !== 0 && stdout === "" && /administratively prohibited/.test(stderr);
    return refused ? [] : [`(b) ${user} on the way to ${address}: ${JSON.stringify({ code, stdout, stderr })}`];
  }

  private keysLost(user: string, before: World): number[] {
    const now = this.world.people[user]?.keys ?? [];
    return (before.people[user]?.keys ?? []).filter((key) => !now.includes(key));
  }

  private async problemsOfLostKeys(user: string, keys: readonly number[]): Promise<string[]> {
    const problems: string[] = [];
    for (const key of keys.slice(0, 1)) {
      const { stderr } = await this.site.ssh(user, key, [`${user}-jump`, "true"]);
      if (!stderr.includes("Permission denied (publickey)")) problems.push(`(a) a lost key of ${user}: ${stderr}`);
    }
    return problems;
  }
}

function isPower(fault: Fault | undefined): boolean {
  return fault?.kind === "kill Incus" || fault?.kind === "kill the server";
}

/** Whether an operation need not succeed at once with that fault beside it. */
function mayFail(fault: Fault | undefined): boolean {
  return fault?.kind === "cut SSH" || fault?.kind === "a foreign account" || isPower(fault);
}

function told({ done, cutOff, error }: Outcome): string {
  const how = done ? "done" : error === undefined ? "killed" : `failed (${explained(error)})`;
  return cutOff && done ? `${how}, cut off` : how;
}

function explained(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { leftBehind, remedy } = error as Partial<ContainariumError>;
  return [error.message, leftBehind && `left: ${leftBehind}`, remedy].filter(Boolean).join("; ").replaceAll("\n", " ");
}
