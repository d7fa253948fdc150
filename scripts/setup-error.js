"use strict";

/**
 * Something that can be expected to go wrong while a machine is being set up. Shown without a stack trace: the cause in
 * one line, the lines of the log that matter, what to do.
 */
class SetupError extends Error {
  /**
   * @param {string} message one line
   * @param {{remedy?: string, log?: string, cause?: unknown}} [details] `remedy`: what to do next, one line or several;
   *   `log`: the last words of the program that failed
   */
  constructor(message, { remedy, log, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "SetupError";
    /** @type {string | undefined} */
    this.remedy = remedy;
    /** @type {string | undefined} */
    this.log = log;
  }
}

/**
 * The screen form of any thrown value. Errors of `ops` and `components` carry a remedy too and are shown alike.
 * @param {unknown} error
 * @returns {string} several lines, ending with a newline
 */
function renderError(error) {
  const { message, remedy, log } = /** @type {Partial<SetupError>} */ (
    error instanceof Error ? error : { message: String(error) }
  );
  const lines = [`error: ${message}`];
  if (log) lines.push(...log.trimEnd().split("\n").map((line) => `  | ${line}`)); // prettier-ignore
  for (const line of remedy?.split("\n") ?? []) lines.push(`  ${line}`);
  return lines.join("\n") + "\n";
}

/**
 * Runs a script's main function: its number is the exit code, what it throws is shown as an error.
 * @param {() => Promise<number | void>} main
 */
async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    process.stderr.write(renderError(error));
    process.exitCode = 1;
  }
}

module.exports = { SetupError, renderError, runMain };
