import { announceAccounts, Fleet } from "../ops";
import type { ServerSet } from "./services";

/** The servers of a stack. */
export class FleetServers extends Fleet implements ServerSet {
  readonly all = true;

  async announce(from: string | undefined): Promise<Map<string, Error>> {
    return (await announceAccounts(this, from)).silent;
  }
}
