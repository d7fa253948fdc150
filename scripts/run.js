"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");

const { SetupError } = require("./setup-error");

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {string} [input] what the program reads on stdin; nothing by default
 * @property {number} [timeoutMs] then the program and its children are ended; default: no limit
 * @property {string} [logFile] everything it says is appended here
 * @property {(line: string) => void} [onLine] called with every line that it says, stdout and stderr
 *
 * @typedef {object} RunResult
 * @property {number} code exit code; 128 + n after signal n, 127 when there is no such program
 * @property {string} stdout
 * @property {string} stderr
 *
 * @typedef {(command: string[], options?: RunOptions) => Promise<RunResult>} Runner
 *   Runs a program and tells how it went; does not throw when it fails. Tests inject fakes.
 */

/** How many lines of a failed program are shown. */
const shownLines = 15;

/** @type {Runner} */
function run(command, { cwd, env, input, timeoutMs, logFile, onLine } = {}) {
  const [program = "", ...args] = command;
  const log = logFile === undefined ? undefined : fs.openSync(logFile, "a", 0o600);
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
    const said = { stdout: "", stderr: "" };
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    let timedOut = false;
    /** @param {number} code */
    const settle = (code) => {
      clearTimeout(timer);
      if (log !== undefined) fs.closeSync(log);
      if (timedOut) said.stderr += `\nno end after ${Math.round((timeoutMs ?? 0) / 1000)} s\n`;
      resolve({ code, ...said });
    };
    if (timeoutMs !== undefined) {
      timer = setTimeout(() => {
        timedOut = true;
        child.kill("SIGKILL");
        // Its children may keep the pipes open.
        child.stdout.destroy();
        child.stderr.destroy();
      }, timeoutMs);
    }
    for (const stream of /** @type {const} */ (["stdout", "stderr"])) {
      const lines = lineSplitter(onLine);
      child[stream].setEncoding("utf8").on("data", (/** @type {string} */ text) => {
        said[stream] += text;
        if (log !== undefined) fs.writeSync(log, text);
        lines(text);
      });
    }
    child.stdin.on("error", () => undefined); // It ended without reading.
    child.stdin.end(input);
    child.once("error", (error) => {
      said.stderr += error.message;
      settle(127);
    });
    child.once("close", (code, signal) => settle(code ?? 128 + signalNumber(signal)));
  });
}

/**
 * Runs a program that has to succeed.
 * @param {Runner} runner
 * @param {string[]} command
 * @param {RunOptions & {failure?: string, remedy?: string}} [options] `failure`: the error's message
 * @returns {Promise<string>} what it printed on stdout
 * @throws {SetupError} with its last lines
 */
async function mustRun(runner, command, { failure, remedy, ...options } = {}) {
  const { code, stdout, stderr } = await runner(command, options);
  if (code === 0) return stdout;
  throw new SetupError(failure ?? `${command.slice(0, 3).join(" ")} failed (exit code ${code})`, {
    log: lastLines(`${stdout}\n${stderr}`),
    remedy,
  });
}

/** The last lines of a text that say something. @param {string} text */
function lastLines(text, count = shownLines) {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-count)
    .join("\n");
}

/** @param {((line: string) => void) | undefined} onLine @returns {(text: string) => void} */
function lineSplitter(onLine) {
  let rest = "";
  return (text) => {
    if (onLine === undefined) return;
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  };
}

/** @param {NodeJS.Signals | null} signal */
function signalNumber(signal) {
  return signal === null ? 0 : (require("node:os").constants.signals[signal] ?? 0);
}

module.exports = { run, mustRun, lastLines };
