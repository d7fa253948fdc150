/** What must be on the server, whatever happened on the way there. Pure: nothing here knows a server. */

/** What a container may use. */
export interface Size {
  cpu: number;
  memory: string;
  diskQuota: string;
}

export interface Person extends Size {
  /** Numbers of key pairs of their own, in the order in which they were given. */
  keys: number[];
  /** What they wrote and were told that it is written. */
  notes: string[];
  snapshots: Record<string, { notes: string[]; doubtful: string[] }>;
  /** What they wrote without an answer: it may be there. */
  doubtful: string[];
  autostart: boolean;
  running: boolean;
}

/** A backup: whose, and what is in it. */
export interface Archive extends Size {
  user: string;
  notes: string[];
  doubtful: string[];
  autostart: boolean;
}

export interface World {
  people: Readonly<Record<string, Person>>;
  archive?: Archive;
}

export const nobody: World = { people: {} };

export type Operation =
  | ({ kind: "create"; user: string; key: number; autostart: boolean } & Size)
  | { kind: "delete" | "start" | "stop" | "restart" | "backup"; user: string }
  | { kind: "keys add" | "keys remove" | "keys replace" | "restore"; user: string; key: number }
  | ({ kind: "resize"; user: string } & Size)
  | { kind: "autostart"; user: string; on: boolean }
  | { kind: "write"; user: string; note: string }
  | { kind: "snapshot create" | "snapshot restore" | "snapshot delete"; user: string; name: string }
  | { kind: "bad input"; user: string; which: string };

/** The world after an operation that was done, at once or by running it again. */
export function after(world: World, operation: Operation): World {
  const { user } = operation;
  const set = (change: Partial<Person>): World => {
    return { ...world, people: { ...world.people, [user]: { ...personOf(world, user), ...change } } };
  };
  switch (operation.kind) {
    case "create": {
      const { cpu, memory, diskQuota, key, autostart } = operation;
      const size = { cpu, memory, diskQuota };
      return put(world, user, { ...size, ...newcomer(key), notes: [], doubtful: [], autostart });
    }
    case "restore": {
      const { user: _whose, ...kept } = world.archive!;
      return put(world, user, { ...kept, ...newcomer(operation.key) });
    }
    case "delete": {
      const { [user]: _gone, ...people } = world.people;
      return { ...world, people };
    }
    case "keys add":
      return set({ keys: [...personOf(world, user).keys, operation.key] });
    case "keys remove":
      return set({ keys: personOf(world, user).keys.filter((key) => key !== operation.key) });
    case "keys replace":
      return set({ keys: [operation.key] });
    case "resize": {
      const { cpu, memory, diskQuota } = operation;
      return set({ cpu, memory, diskQuota });
    }
    case "start":
    case "restart":
      return set({ running: true });
    case "stop":
      return set({ running: false });
    case "autostart":
      return set({ autostart: operation.on });
    case "write":
      return set({ notes: [...personOf(world, user).notes, operation.note] });
    case "snapshot create": {
      const { notes, doubtful, snapshots } = personOf(world, user);
      return set({ snapshots: { ...snapshots, [operation.name]: { notes, doubtful } } });
    }
    case "snapshot restore":
      return set({ ...personOf(world, user).snapshots[operation.name]! });
    case "snapshot delete": {
      const { [operation.name]: _gone, ...snapshots } = personOf(world, user).snapshots;
      return set({ snapshots });
    }
    case "backup": {
      const { cpu, memory, diskQuota, notes, doubtful, autostart } = personOf(world, user);
      return { ...world, archive: { user, cpu, memory, diskQuota, notes, doubtful, autostart } };
    }
    case "bad input":
      return world;
  }
}

/** Nobody knows whether that note was written. */
export function doubting(world: World, user: string, note: string): World {
  const person = personOf(world, user);
  return put(world, user, { ...person, doubtful: [...person.doubtful, note] });
}

/** Incus starts with its server or by itself: whoever is to start with it runs, and after a boot nobody else. */
export function afterIncusBegan(world: World, { boot }: { boot: boolean }): World {
  const people = Object.entries(world.people).map(([user, person]) => {
    return [user, { ...person, running: person.autostart || (person.running && !boot) }] as const;
  });
  return { ...world, people: Object.fromEntries(people) };
}

export function personOf(world: World, user: string): Person {
  const person = world.people[user];
  if (person === undefined) throw new Error(`there is no ${user}`);
  return person;
}

function newcomer(key: number): Pick<Person, "keys" | "snapshots" | "running"> {
  return { keys: [key], snapshots: {}, running: true };
}

function put(world: World, user: string, person: Person): World {
  return { ...world, people: { ...world.people, [user]: person } };
}
