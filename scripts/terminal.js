"use strict";

const { spawn } = require("node:child_process");
const readline = require("node:readline/promises");

/** May a question be asked? */
function isInteractive() {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks yes or no; Enter is yes. @param {string} question */
async function confirm(question) {
  const terminal = readline.createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^\s*(y(es)?)?\s*$/i.test(await terminal.question(`${question} [Y/n] `));
  } finally {
    terminal.close();
  }
}

/** Lets sudo ask for the user's password. @returns {Promise<boolean>} whether it was right */
function askPassword() {
  return new Promise((resolve) => {
    const child = spawn("sudo", ["-v"], { stdio: "inherit" });
    child.once("error", () => resolve(false));
    child.once("exit", (code) => resolve(code === 0));
  });
}

module.exports = { askPassword, confirm, isInteractive };
