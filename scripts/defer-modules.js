"use strict";

/**
 * Required by every Node process that the engine starts (NODE_OPTIONS, see engine.js). Of `@pulumi/pulumi` more than half of
 * the time to load it goes to TypeScript, which only reads functions that are to be serialised, and to npm's package
 * tree, which only names the packages of such functions. They are loaded when they are first used. Where Pulumi asks for
 * them in another way some day, they are loaded as before.
 */
const Module = /** @type {any} */ (require("node:module"));

/** @type {{request: string, from: RegExp, stand: (load: () => any) => unknown}[]} */
const deferred = [
  {
    request: "typescript",
    from: /@pulumi[\\/]pulumi[\\/]typescript-shim\.js$/,
    stand: (load) => new Proxy({}, { get: (_, name) => load()[name] }),
  },
  {
    request: "./closure/codePaths",
    from: /@pulumi[\\/]pulumi[\\/]runtime[\\/]index\.js$/,
    stand: (load) => ({
      computeCodePaths: (/** @type {unknown[]} */ ...args) => load().computeCodePaths(...args),
    }),
  },
];

const load = Module._load;
Module._load = function (
  /** @type {string} */ request,
  /** @type {{filename?: string} | undefined} */ parent,
  /** @type {boolean} */ isMain,
) {
  const one = deferred.find(({ request: wanted, from }) => wanted === request && from.test(parent?.filename ?? ""));
  if (one === undefined) return load.call(this, request, parent, isMain);
  // What is not there is said now: Pulumi has a TypeScript of its own for that.
  Module._resolveFilename(request, parent, isMain);
  return one.stand(() => load.call(Module, request, parent, isMain));
};
