import type { Properties } from "./engine-protocol";

/** Says what Google would refuse of one resource by itself; an empty list is a yes. `type` is the whole token. */
export type Check = (type: string, inputs: Properties) => string[];

/** Every one is asked before anything is made. Values that are not known yet come as `unknownValue`: see `settled`. */
export const checks: Check[] = [];
