import { AuthenticationError, OperationError } from "../errors";
import { IncusUnavailableError } from "../incus/incus-error";

/** Why one of the two commands ended before it did its work. */
export interface CommandEnd {
  code: number | null;
  stderr: string;
}

const STARTUP_REMEDY =
  "The server may still be starting. Look at it there:\n  sudo systemctl status containarium-startup";

/** The bridge to Incus: ends well when we end it, badly when nobody listens. */
export function explainBridgeEnd(server: string, { code, stderr }: CommandEnd): Error | undefined {
  if (code === 0) return undefined;
  return explainSudo(server, stderr) ?? new IncusUnavailableError(server, bridgeReason(code, stderr));
}

/** The helper: it answers on standard output, also when it fails. Without an answer this is the reason. */
export function explainHelperEnd(server: string, { code, stderr }: CommandEnd): Error {
  const said = stderr === "" ? `exit code ${code ?? "unknown"}` : lastLine(stderr);
  return (
    explainSudo(server, stderr) ??
    new OperationError(`the host helper on ${server} gave no answer: ${said}`, { server, remedy: STARTUP_REMEDY })
  );
}

function explainSudo(server: string, stderr: string): Error | undefined {
  if (/^sudo: .*command not found/m.test(stderr) || /^sudo: unable to execute/m.test(stderr)) {
    return new OperationError(`${server} is not set up as a Containarium server: ${lastLine(stderr)}`, {
      server,
      remedy: STARTUP_REMEDY,
    });
  }
  if (/^sudo: |not in the sudoers file|may not run/m.test(stderr)) {
    return new AuthenticationError(
      `the account on ${server} may not use sudo without a password: ${lastLine(stderr)}`,
      {
        server,
        remedy: "Log in with the administrator's account of the server.",
      },
    );
  }
  return undefined;
}

function bridgeReason(code: number | null, stderr: string): string {
  if (/refused|no such file/i.test(stderr)) return "nothing listens on its socket";
  if (stderr !== "") return lastLine(stderr);
  return code === null ? "the connection broke" : `the bridge ended with code ${code}`;
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
