"use strict";

const { installPackages } = require("./packages");

/** What only the tests need: programs that read what we write for them. */
const needed = [
  { name: "groff-base", program: "groff", why: "reads the man page" },
  { name: "mandoc", program: "mandoc", why: "reads it, too" },
  { name: "zsh", program: "zsh", why: "reads its completion" },
  { name: "fish", program: "fish", why: "reads its completion" },
];

/**
 * @param {import("./host").Host} host
 * @param {{logFile?: string, onProgress?: (line: string) => void}} [options]
 * @returns {Promise<string>} in a few words, what was done
 */
async function ensureTestPrograms(host, { logFile, onProgress } = {}) {
  const found = await Promise.all(needed.map(({ program }) => host.run(["sh", "-c", `command -v ${program}`])));
  const install = needed.filter((_, index) => found[index]?.code !== 0);
  if (install.length === 0) return "nothing to do";
  onProgress?.(`installing ${install.map(({ name, why }) => `${name} (${why})`).join(", ")}`);
  await installPackages(host, { install }, { logFile });
  return `installed ${install.map(({ name }) => name).join(", ")}`;
}

module.exports = { ensureTestPrograms };
