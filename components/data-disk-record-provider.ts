import type { dynamic } from "@pulumi/pulumi";

import { InvalidInputError } from "../ops/errors";
import { known } from "./known";

export interface DataDiskRecordInputs {
  disk: string;
  zone: string;
  type: string;
  sizeGb: number;
}

type Record = DataDiskRecordInputs;

/** Makes nothing: its state is what it is for. */
export const dataDiskRecordProvider = {
  async check(_olds: unknown, news: Record): Promise<dynamic.CheckResult<Record>> {
    return { inputs: news, failures: [] };
  },

  /** @throws InvalidInputError for a change that would be another disk under the same name */
  async diff(_id: string, olds: Record, news: Record): Promise<dynamic.DiffResult> {
    if (known(news.disk) !== undefined && olds.disk === news.disk) refuseAnotherDisk(olds, news);
    const fields = ["disk", "zone", "type", "sizeGb"] as const;
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
