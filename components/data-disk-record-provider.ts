import type { dynamic } from "@pulumi/pulumi";

import { InvalidInputError } from "../ops/errors";
import { known } from "./known";

export interface DataDiskRecordInputs {
  disk: string;
  /** Id of the Google project; undefined in records of an older version. */
  project?: string;
  zone: string;
  type: string;
  sizeGb: number;
  adopt: boolean;
  inProject: boolean;
}

type Record = DataDiskRecordInputs;

/** Makes nothing: its state is what it is for. */
export const dataDiskRecordProvider = {
  /** Only a new record asks what the project has: an old one's disk is there, of course. */
  async check(olds: Partial<Record> | undefined, news: Record): Promise<dynamic.CheckResult<Record>> {
    const isNew = olds?.disk === undefined || olds.disk !== news.disk;
    const reason = isNew ? (forgottenGeneration(olds, news) ?? forgottenDisk(news)) : undefined;
    return { inputs: news, failures: reason === undefined ? [] : [{ property: "disk", reason }] };
  },

  /** @throws InvalidInputError for a change that would be another disk under the same name */
  async diff(_id: string, olds: Record, news: Record): Promise<dynamic.DiffResult> {
    refuseAnotherProject(olds, news);
    if (known(news.disk) !== undefined && olds.disk === news.disk) refuseAnotherDisk(olds, news);
    const fields = ["disk", "project", "zone", "type", "sizeGb"] as const;
    return { changes: fields.some((field) => olds[field] !== news[field]), replaces: [] };
  },

  async create(inputs: Record): Promise<dynamic.CreateResult<Record>> {
    return { id: inputs.disk, outs: inputs };
  },

  async read(id: string, props: Record): Promise<dynamic.ReadResult<Record>> {
    return { id, props };
  },

  async update(_id: string, _olds: Record, news: Record): Promise<dynamic.UpdateResult<Record>> {
    return { outs: news };
  },

  async delete(): Promise<void> {},
};

/**
 * A server whose entry in containarium:dataDisks was dropped goes back to an older disk. If that was deleted meanwhile, it
 * would be a new and empty one, and an empty server that everybody takes for theirs. With `adopt` it is meant, and there.
 */
function forgottenGeneration(olds: Partial<Record> | undefined, { disk, adopt }: Record): string | undefined {
  if (olds?.disk === undefined || known(disk) === undefined || adopt || generationOf(disk) >= generationOf(olds.disk))
    return undefined;
  const server = /-jump-(\d+)-data/.exec(disk)?.[1];
  return (
    `jump-${server} has the disk ${olds.disk}, and ${disk} is an older one. ` +
    `Keep its entry in containarium:dataDisks:  {server: ${server}, generation: ${generationOf(olds.disk)}}`
  );
}

/** 1 for the disk that a server was born with (naming.ts). */
function generationOf(disk: string): number {
  return Number(/-data-g(\d+)$/.exec(disk)?.[1] ?? 1);
}

/** What is wrong about the disk that is there, or not there; undefined when nothing is. */
function forgottenDisk({ disk, zone, adopt, inProject }: Record): string | undefined {
  if (known(inProject) === undefined || inProject === adopt) return undefined;
  const server = /-jump-(\d+)-data/.exec(disk)?.[1];
  if (adopt) return `there is no disk ${disk} in ${zone} to adopt; correct the entry of server ${server} in containarium:dataDisks`; // prettier-ignore
  return (
    `the disk ${disk} is in ${zone} already, left by a server that was removed, perhaps with people's data on it. ` +
    `To take it for jump-${server}, put this into containarium:dataDisks:  {server: ${server}, adopt: true}`
  );
}

/** Names are free in another project: nothing there would collide, and the fleet would come up new and empty. */
function refuseAnotherProject(olds: Record, news: Record): void {
  if (olds.project === undefined || olds.project === known(news.project)) return;
  throw new InvalidInputError(`the disk ${olds.disk} is in the project ${olds.project}, not in ${news.project}`, {
    leftBehind: "everything as it was",
    remedy:
      `Set  gcp:project  back to ${olds.project} (where it is not set, GOOGLE_PROJECT and the like say which). ` +
      "For a fleet in another project make another stack.",
  });
}

function refuseAnotherDisk(olds: Record, news: Record): void {
  const generation = "To move the data, make a snapshot of it and restore that as the next generation (containarium:dataDisks); docs/deploy.md says how."; // prettier-ignore
  if (olds.zone !== news.zone) {
    throw new InvalidInputError(`the disk ${olds.disk} is in ${olds.zone}, it cannot move to ${news.zone}`, {
      leftBehind: "everything as it was",
      remedy: `Set  containarium:zone  back to ${olds.zone}. ${generation}`,
    });
  }
  if (olds.type !== news.type) {
    throw new InvalidInputError(`the disk ${olds.disk} is a ${olds.type}, it cannot become a ${news.type}`, {
      leftBehind: "everything as it was",
      remedy: `Set  containarium:dataDiskType  back to ${olds.type}. ${generation}`,
    });
  }
  if (news.sizeGb < olds.sizeGb) {
    throw new InvalidInputError(`the disk ${olds.disk} has ${olds.sizeGb} GiB, it cannot shrink to ${news.sizeGb}`, {
      leftBehind: "everything as it was",
      remedy: `A data disk can grow, never shrink. Set  containarium:dataDiskSizeGb  to ${olds.sizeGb} or more.`,
    });
  }
}
