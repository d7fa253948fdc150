import { parseUserName } from "../../ops/containers/user-name";
import { reportOf } from "../output/error";
import { renderTable } from "../output/table";
import { command } from "./command";
import type { Result } from "./command";
import { patientsOf } from "./patients";

export const verifyAccess = command({
  usage: "verify-access <user>",
  describe: "Try, as this user and from outside, everything that must be refused",
  positional: { user: { describe: "login name" } },
  options: {},
  examples: [["$0 verify-access alice", "exit code 1 when anything is open that should not be"]],
  async run({ user }, context): Promise<Result> {
    parseUserName(user);
    const { io, progress, services } = context;
    const target = await context.target();
    progress.doing("Trying...");
    const { addresses } = target;
    const options = { addresses, signal: io.signal };
    const { attempts, failures } = await services.verifyAccess(patientsOf(target), user, options);
    progress.clear();
    const wrong = attempts.filter(({ ok }) => !ok);
    const table = renderTable(
      ["", "SERVER", "ATTEMPT", "EXPECTED", "RESULT"],
      attempts.map(({ server, attempt, expected, result, ok }) => [ok ? "✓" : "✗", server, attempt, expected, result]),
    );
    const words = wrong.length === 0 ? `${attempts.length} attempts: all as they must be` : `${wrong.length} of ${attempts.length} attempts: not as they must be`; // prettier-ignore
    const [unreached] = failures.values();
    // Nobody's container can be reached on a server that is gone: then that is what there is to say.
    const isOpen = wrong.some(({ expected }) => expected !== "open");
    const isWrong = isOpen || (wrong.length > 0 && unreached === undefined);
    return {
      json: { user, attempts },
      text: attempts.length === 0 ? "" : `${table}\n${words}`,
      failures: [...failures].map(([subject, error]) => ({ subject, error })),
      verdict: isWrong ? "failed" : unreached && reportOf(unreached).kind,
    };
  },
});
