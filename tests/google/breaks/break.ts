import type { Change } from "../change";
import type { Told } from "../fleet";

/** What a rule is there for: done to a right fleet, it makes that rule complain, and no other. */
export interface Break {
  rule: string;
  how: string;
  change: Change;
  /** The fleet that it is done to. Default: the one with three Spot servers and a balancer. */
  fleet?: "dev" | "prod" | "regular";
  told?: Told;
  /** The resource that is complained of, when it is not the changed one. */
  at?: string;
}
