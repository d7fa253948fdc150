import { InvalidInputError } from "../../ops/errors";
import { ask, canAsk } from "../output/prompt";
import type { Context } from "./command";

/** Before anything is contacted. @throws InvalidInputError when it would ask and nobody is there to answer */
export function refuseSilence(what: string, again: string, { io }: Pick<Context, "io">): void {
  if (canAsk(io)) return;
  throw new InvalidInputError(`${what} asks before data is lost, and nobody is at a terminal`, {
    remedy: `npx containarium-ops ${again}`,
  });
}

/** Has the user's name typed. @throws InvalidInputError when it is not */
export async function confirmLoss(
  question: string,
  user: string,
  again: string,
  { io }: Pick<Context, "io">,
): Promise<void> {
  if ((await ask(io, `${question} Type ${user}: `)) === user) return;
  throw new InvalidInputError("nothing was changed: the name was not typed", {
    remedy: `Type the user's name to confirm, or\n  npx containarium-ops ${again}`,
  });
}
