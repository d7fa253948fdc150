import { isDeepStrictEqual } from "node:util";

import type { dynamic } from "@pulumi/pulumi";

import { ConflictError, OperationError } from "../ops/errors";
import { known } from "./known";

export interface ServerIdentityInputs {
  server: string;
  disk: string;
  reportedHostKey: string;
}

export interface ServerIdentityOutputs extends ServerIdentityInputs {
  hostKeys: string[];
}

/** Keeps what a server is known by. Contacts nobody: the report comes with the inputs. */
export const serverIdentityProvider = {
  async check(_olds: unknown, news: ServerIdentityInputs): Promise<dynamic.CheckResult<ServerIdentityInputs>> {
    return { inputs: news, failures: [] };
  },

  /** @throws ConflictError when the server reports another key, from the same disk */
  async diff(_id: string, olds: ServerIdentityOutputs, news: ServerIdentityInputs): Promise<dynamic.DiffResult> {
    const otherDisk = known(news.disk) !== undefined && news.disk !== olds.disk;
    return { changes: otherDisk || !isDeepStrictEqual(merged(olds, news), olds.hostKeys), replaces: [] };
  },

  async create(inputs: ServerIdentityInputs): Promise<dynamic.CreateResult<ServerIdentityOutputs>> {
    if (inputs.reportedHostKey === "") throw neverReported(inputs.server);
    return { id: inputs.server, outs: { ...inputs, hostKeys: [inputs.reportedHostKey] } };
  },

  async read(id: string, props: ServerIdentityOutputs): Promise<dynamic.ReadResult<ServerIdentityOutputs>> {
    return { id, props };
  },

  async update(
    _id: string,
    olds: ServerIdentityOutputs,
    news: ServerIdentityInputs,
  ): Promise<dynamic.UpdateResult<ServerIdentityOutputs>> {
    return { outs: { ...news, hostKeys: merged(olds, news) } };
  },

  async delete(): Promise<void> {},
};

/** The keys to keep: what was, unless the server reports another one and its disk is another one, too. */
function merged(olds: ServerIdentityOutputs, news: ServerIdentityInputs): string[] {
  const reported = known(news.reportedHostKey) ?? "";
  if (reported === "" || olds.hostKeys.includes(reported)) return olds.hostKeys;
  if (known(news.disk) !== olds.disk) return [reported];
  throw new ConflictError(`${news.server} came up with another host key than the one that everybody has pinned`, {
    server: news.server,
    leftBehind: "the servers as they are; nobody was told the new key",
    remedy:
      `Its key lies on its data disk ${olds.disk}: is that the disk it had, and not an empty one?\n` +
      "If the data is lost for good, give the server its next disk: an entry in containarium:dataDisks with the next generation.", // prettier-ignore
  });
}

function neverReported(server: string): OperationError {
  return new OperationError(`${server} has never been up: nobody knows its host key`, {
    server,
    leftBehind: "the server, stopped",
    remedy: "Google starts it again when it has room; then  pulumi up  goes on from here.",
  });
}
