"use strict";

/**
 * Starts a stand-in provider for the engine: `node main.js gcp|command`. TypeScript is compiled as Jest does it, so that
 * a test always runs the sources as they are.
 */
const fs = require("node:fs");
const { transformSync } = require("@swc/core");

require.extensions[".ts"] = (module, filename) => {
  const options = {
    filename,
    jsc: { parser: { syntax: "typescript" }, target: "es2022" },
    module: { type: "commonjs" },
    sourceMaps: "inline",
  };
  module._compile(transformSync(fs.readFileSync(filename, "utf8"), options).code, filename);
};

const providers = {
  gcp: () => require("./gcp-provider").gcpProvider(process.env),
  command: () => require("./command-provider").commandProvider(process.env),
};

const provider = providers[process.argv[2]];
if (provider === undefined) throw new Error(`no stand-in is called ${process.argv[2]}`);
void require("./engine-protocol").serve(provider());
