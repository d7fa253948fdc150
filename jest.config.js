"use strict";

const transform = {
  "\\.[jt]s$": [
    "@swc/jest",
    { jsc: { parser: { syntax: "typescript" }, target: "es2022" }, module: { type: "commonjs" } },
  ],
};

const common = {
  rootDir: __dirname,
  testEnvironment: "node",
  transform,
  // dist/ holds compiled copies of everything, package.json included.
  modulePathIgnorePatterns: ["<rootDir>/dist/", "<rootDir>/.containarium/"],
};

/** @type {import("jest").Config} */
module.exports = {
  // Jest leaves a core to itself, of two: half of this machine.
  maxWorkers: "100%",
  // A busy machine takes its time; what never ends is found all the same.
  testTimeout: 20_000,
  // Istanbul rewrites the code that Pulumi serialises; v8 does not.
  coverageProvider: "v8",
  collectCoverageFrom: ["{bin,components,ops,scripts}/**/*.{ts,js}", "index.ts"],
  projects: [
    {
      ...common,
      displayName: "quick",
      testMatch: ["<rootDir>/tests/**/*.test.ts"],
      testPathIgnorePatterns: ["<rootDir>/tests/e2e/", "<rootDir>/tests/vm/"],
    },
    // Real Incus, real sshd, the real engine. One after the other: they share this host.
    { ...common, displayName: "e2e", testMatch: ["<rootDir>/tests/e2e/**/*.test.ts"] },
    // A Debian server with ZFS under QEMU: `npm run test:vm`.
    { ...common, displayName: "vm", testMatch: ["<rootDir>/tests/vm/**/*.test.ts"] },
  ],
};
