"use strict";

/**
 * What the engine runs (`main` in Pulumi.yaml): the built program, after making sure that it is not older than its
 * sources. The engine starts it with this folder as the working directory, so nothing here depends on that.
 */
const path = require("node:path");

const { ensureFreshBuild } = require("./fresh-build");
const { packageRoot } = require("./paths");
const { renderError } = require("./setup-error");

// Pulumi keeps a stack trace with every promise that it makes, and looks up the TypeScript line of each of its frames: a
// sixth of the whole run. The lines of dist/ are enough.
Reflect.deleteProperty(Error, "prepareStackTrace");

module.exports = async () => {
  try {
    const root = packageRoot();
    await ensureFreshBuild(root);
    return require(path.join(root, "dist", "index.js"));
  } catch (error) {
    throw userFacing(error);
  }
};

/**
 * Errors with a remedy are for the user: marked so, Pulumi shows their message without a stack trace.
 * @param {unknown} error
 */
function userFacing(error) {
  if (!(error instanceof Error) || !("remedy" in error)) return error;
  const shown = new Error(renderError(error).replace(/^error: /, "").trimEnd()); // prettier-ignore
  return Object.assign(shown, { __pulumiRunError: true });
}
