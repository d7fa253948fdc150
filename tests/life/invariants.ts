import { containerName, type InstanceFull } from "../../ops";
import { type ContainerRecord, readRecord } from "../../ops/containers/record";
import type { Person, World } from "./model";
import type { Observed, RecordLine } from "./observe";

/** Pure: from what must be and what is to what is wrong, in words; nothing when all is well. */

/** Uids of jump accounts; the group that is theirs too makes an account ours. */
const JUMP_UID = /^7\d{4}$/;

/** `type base64` of a person's key. */
export type KeyData = (user: string, key: number) => string;

interface Account {
  user: string;
  uid: string;
}

export interface Resident {
  user: string;
  record: ContainerRecord;
  instance: InstanceFull;
}

export function residentsOf({ instances }: Observed): Resident[] {
  return instances.flatMap((instance) => {
    const record = readRecord(instance);
    return record === undefined ? [] : [{ user: record.user, record, instance }];
  });
}

function accountsOf({ passwd, group }: Observed): Account[] {
  const ours = group.find((line) => line.startsWith("containarium-jump:"))?.split(":")[2];
  return passwd.flatMap((line) => {
    const [user = "", , uid = "", gid] = line.split(":");
    return gid === ours && JUMP_UID.test(uid) ? [{ user, uid }] : [];
  });
}

/**
 * (a) Account, container and keys are one to one, and as they should be. `others`: people of the fleet who are not in
 * the story, of whom it knows nothing.
 */
export function oneToOne(world: World, observed: Observed, keyData: KeyData, others: readonly string[]): string[] {
  const people = Object.keys(world.people);
  const residents = residentsOf(observed).filter(({ user }) => !others.includes(user));
  const accounts = accountsOf(observed).filter(({ user }) => !others.includes(user));
  const files = Object.keys(observed.keyFiles).filter((user) => !others.includes(user));
  const ids = new Set([...accounts.map(({ uid }) => uid)]);
  return [
    ...differences("containers", people, residents.map(({ user }) => user)), // prettier-ignore
    ...differences("jump accounts", people, accounts.map(({ user }) => user)), // prettier-ignore
    ...differences("files of keys", people, files),
    ...differences("shadow entries", people, shadowed(observed, people)),
    ...differences("disks", observed.instances.map(({ name }) => name), observed.disks), // prettier-ignore
    ...repeated("address", residentsOf(observed).map(({ record }) => record.address)), // prettier-ignore
    ...repeated("uid", observed.passwd.map((line) => line.split(":")[2]!).filter((uid) => ids.has(uid))), // prettier-ignore
    ...residents.flatMap((resident) => {
      const person = world.people[resident.user];
      return person === undefined ? [] : asItShouldBe(resident, person, observed, keyData);
    }),
  ];
}

function shadowed({ shadow }: Observed, people: readonly string[]): string[] {
  return shadow.map((line) => line.split(":")[0]!).filter((user) => people.includes(user));
}

function asItShouldBe(
  { user, record, instance }: Resident,
  person: Person,
  { keyFiles }: Observed,
  keyData: KeyData,
): string[] {
  const wanted = person.keys.map((key) => keyData(user, key));
  const atJump = (keyFiles[user] ?? []).filter((line) => !line.endsWith(" containarium-probe"));
  const size = ({ cpu, memory, diskQuota, autostart }: Pick<Person, "cpu" | "memory" | "diskQuota" | "autostart">) =>
    JSON.stringify({ cpu, memory, diskQuota, autostart });
  return [
    ...(instance.name === containerName(user) ? [] : [`the container of ${user} is called ${instance.name}`]),
    ...(record.state === "ready" ? [] : [`${user} is ${record.state}`]),
    ...(record.staleKeys.length === 0 ? [] : [`${user} has stale keys`]),
    ...(size(record) === size(person) ? [] : [`${user} has ${size(record)}, not ${size(person)}`]),
    ...differences(`keys of ${user} on record`, wanted, record.keys.map(dataOf)), // prettier-ignore
    ...differences(`keys of ${user} at the jump`, wanted, atJump.map((line) => dataOf(line.replace(/^\S+ /, "")))), // prettier-ignore
    ...differences(`snapshots of ${user}`, Object.keys(person.snapshots), (instance.snapshots ?? []).map(({ name }) => name)), // prettier-ignore
  ];
}

/** Who runs and who does not. After a server's boot this takes a while. */
export function power(world: World, observed: Observed): string[] {
  return residentsOf(observed).flatMap(({ user, instance: { status } }) => {
    const wanted = world.people[user]?.running === false ? "Stopped" : "Running";
    return world.people[user] === undefined || status === wanted ? [] : [`${user} is ${status}, not ${wanted}`];
  });
}

/** (b) No key and no account opens another address than that of the person's own container. */
export function ownAddressOnly(observed: Observed): string[] {
  const addresses = new Map(residentsOf(observed).map(({ user, record }) => [user, record.address]));
  const uids = new Map(accountsOf(observed).map(({ user, uid }) => [user, uid]));
  const allowed = [...addresses].flatMap(([user, address]) =>
    uids.has(user) ? [`${uids.get(user)} ${address} 22`] : [],
  );
  const wrong = Object.entries(observed.keyFiles).flatMap(([user, lines]) => {
    const option = `restrict,port-forwarding,permitopen="${addresses.get(user)}:22" `;
    return lines.filter((line) => !line.replace('from="127.0.0.1,::1",', "").startsWith(option));
  });
  return [...differences("ways in the firewall", allowed, observed.firewall), ...wrong.map((line) => `a key opens more: ${line}`)]; // prettier-ignore
}

/** (c) All that was acknowledged is there, and nothing that was never written, or is of another time. */
export function keptNotes(
  user: string,
  { notes, doubtful }: Pick<Person, "notes" | "doubtful">,
  found: string[],
): string[] {
  return [
    ...notes.filter((note) => !found.includes(note)).map((note) => `${user} has lost ${note}`),
    ...found.filter((note) => ![...notes, ...doubtful].includes(note)).map((note) => `${user} never wrote ${note}`),
    ...repeated(`note of ${user}`, found),
  ];
}

/** What was run, and how it went: how many of each the record must show. */
export interface Runs {
  /** Absent: any, of anybody. */
  operation?: string;
  user: string;
  /** Runs that came to their end with success. */
  done: number;
  /** Runs that were refused or failed: on record as such, or, if refused at once, not at all. */
  failed: number;
  /** Runs that may have had no chance to write their end, or even their begin. */
  cutOff: number;
  /** Runs that found it done already, or did it: on record or not. */
  again: number;
}

/** (e) Each operation has one begin and one end; one that was cut off may lack its end. */
export function oneBeginOneEnd({ operation, user, ...runs }: Runs, recorded: readonly RecordLine[]): string[] {
  const { done, failed, cutOff, again } = runs;
  const begins = recorded.filter(({ event }) => event === "begin");
  const ends = recorded.filter(({ event }) => event === "end");
  const ids = new Set(begins.map(({ id }) => id));
  const succeeded = ends.filter(({ result }) => result === "done").length;
  const unended = begins.filter(({ id }) => !ends.some((end) => end.id === id)).length;
  const said = `${begins.length} begun, ${ends.length} ended, ${succeeded} of them done`;
  const wanted = `${done} done, ${failed} failed, ${cutOff} cut off, ${again} again`;
  const fits =
    begins.length >= done &&
    begins.length <= done + failed + cutOff + again &&
    succeeded >= done &&
    succeeded <= done + cutOff + again &&
    unended <= cutOff;
  return [
    ...repeated("begin", begins.map(({ id }) => id)), // prettier-ignore
    ...repeated("end", ends.map(({ id }) => id)), // prettier-ignore
    ...ends.filter(({ id }) => !ids.has(id)).map(({ id }) => `an end without its begin: ${id}`),
    ...begins.filter((one) => operation !== undefined && (one.operation !== operation || one.user !== user)).map((one) => `${one.operation} of ${one.user} is on record, not ${operation} of ${user}`), // prettier-ignore
    ...(fits ? [] : [`on record: ${said}; it was ${wanted}`]),
  ];
}

/** All that is not ours, in a form in which any change shows. */
export function foreignThings(observed: Observed): string[] {
  const ours = new Set(accountsOf(observed).map(({ user }) => user));
  const theirs = (line: string) => !ours.has(line.split(":")[0]!);
  const instances = observed.instances.filter((instance) => readRecord(instance) === undefined);
  return [
    ...observed.passwd.filter(theirs),
    ...observed.shadow.filter(theirs),
    ...observed.group.filter(theirs),
    ...observed.homes,
    ...instances.map(({ name, config }) => `${name} ${JSON.stringify(config)}`),
  ];
}

/** (f) Accounts that are not ours are untouched. */
export function foreignUntouched(before: readonly string[], observed: Observed): string[] {
  return differences("things that are not ours", before, foreignThings(observed));
}

/** `type base64` of a key line. */
export function dataOf(line: string): string {
  return line.split(" ").slice(0, 2).join(" ");
}

export function differences(what: string, wanted: readonly string[], found: readonly string[]): string[] {
  const missing = wanted.filter((one) => !found.includes(one));
  const surplus = found.filter((one) => !wanted.includes(one));
  return [
    ...missing.map((one) => `${what}: ${one} is missing`),
    ...surplus.map((one) => `${what}: ${one} is too much`),
  ];
}

function repeated(what: string, values: readonly string[]): string[] {
  return values.filter((value, index) => value !== "" && values.indexOf(value) !== index).map((value) => `${what} twice: ${value}`); // prettier-ignore
}
