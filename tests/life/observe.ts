import type { InstanceFull, Server } from "../../ops";
import { readRecord } from "../../ops/containers/record";
import type { Site } from "./site";

/** All that the invariants look at, as it is on the server. */
export interface Observed {
  instances: InstanceFull[];
  /** Lines of /etc/passwd, /etc/shadow and /etc/group. */
  passwd: string[];
  shadow: string[];
  group: string[];
  /** Lines of each file of keys of a jump account. */
  keyFiles: Record<string, string[]>;
  /** Which uid may go where, as the kernel has it: `70000 10.0.3.10 22`. */
  firewall: string[];
  /** Sums of all files in homes on the server itself. */
  homes: string[];
  /** What lies in the pool, each beside the others: a disk per container. */
  disks: string[];
}

export interface RecordLine {
  id: string;
  event: "begin" | "end";
  operation?: string;
  user?: string;
  result?: string;
}

const RECORD = "/srv/containarium/state/audit/operations.jsonl";
const BETWEEN = "----- part -----";
const LOOK = [
  "cat /etc/passwd",
  "cat /etc/shadow",
  "cat /etc/group",
  "cd /etc/ssh/containarium/authorized_keys.d && grep -rH '' . || true",
  // It says nothing when somebody changes the rules at the same moment.
  "for try in 1 2 3 4 5; do nft -j list set inet containarium jump_targets && break; sleep 0.2; done",
  "find /home -xdev -type f -exec sha256sum {} + | sort",
  "ls /srv/containarium/pool/containers",
];

/** Reads from the server's files themselves, past its helper; and Incus, with states and snapshots. */
export class Observer {
  private read = 0;
  private recorded: RecordLine[] = [];
  /** Who lived where at the last look. */
  addresses: { user: string; address: string }[] = [];

  constructor(private readonly site: Site) {}

  async look(): Promise<Observed> {
    const script = [...LOOK, `test ! -e ${RECORD} || tail -c +${this.read + 1} ${RECORD}`].join(
      `; echo '${BETWEEN}'; `,
    );
    const [text, instances] = await Promise.all([this.site.sh(script), this.site.server.incus.instances.listFull()]);
    this.addresses = instances.flatMap((instance) => readRecord(instance) ?? []);
    const parts = text.split(`${BETWEEN}\n`);
    const [passwd = "", shadow = "", group = "", keys = "", firewall = "", homes = "", disks = "", record = ""] = parts;
    // A line that is just being written comes next time.
    const whole = record.slice(0, record.lastIndexOf("\n") + 1);
    this.read += Buffer.byteLength(whole);
    this.recorded.push(...lines(whole).map((line) => JSON.parse(line) as RecordLine));
    return {
      instances,
      passwd: lines(passwd),
      shadow: lines(shadow),
      group: lines(group),
      keyFiles: keyFilesIn(keys),
      firewall: firewallIn(firewall),
      homes: lines(homes),
      disks: lines(disks),
    };
  }

  /** What the looks since the last call have found on record of operations. */
  takeRecorded(): RecordLine[] {
    return this.recorded.splice(0);
  }
}

/** The keys in the container itself. */
export async function keysInside(server: Server, instance: string, user: string): Promise<string[]> {
  const file = await server.incus.instances.files(instance).get(`/etc/ssh/authorized_keys.d/${user}`);
  return lines(file.toString("utf8")).filter((line) => !line.startsWith("#"));
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** Of grep's `./alice:line`. */
function keyFilesIn(text: string): Record<string, string[]> {
  const files: Record<string, string[]> = {};
  for (const line of lines(text)) {
    const [, user = "", content = ""] = /^\.\/([^:]+):(.*)$/.exec(line) ?? [];
    (files[user] ??= []).push(content);
  }
  return files;
}

function firewallIn(json: string): string[] {
  if (json === "") return [];
  const { nftables } = JSON.parse(json) as { nftables: { set?: { elem?: { concat: (string | number)[] }[] } }[] };
  return nftables.flatMap(({ set }) => set?.elem ?? []).map(({ concat }) => concat.join(" "));
}
