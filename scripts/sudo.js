"use strict";

const { spawn } = require("node:child_process");

/** Below the five minutes after which the strictest common sudo asks again. */
const renewMs = 60_000;

/**
 * Keeps sudo from asking again while a long setup runs; does nothing for root.
 * @returns {() => void} stops it
 */
function keepSudoAlive() {
  if ((process.getuid?.() ?? 0) === 0) return () => undefined;
  const timer = setInterval(
    () => spawn("sudo", ["-n", "-v"], { stdio: "ignore" }).on("error", () => undefined),
    renewMs,
  );
  timer.unref();
  return () => clearInterval(timer);
}

module.exports = { keepSudoAlive };
