"use strict";

/** Data flows one way: bin -> ops -> server, index.ts -> components -> ops. See docs and README. */
/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "ops-stands-alone",
      comment:
        "The library can be embedded anywhere and starts fast: no Pulumi, no command line, none of our other parts.",
      severity: "error",
      from: { path: "^ops/" },
      to: { path: "^(bin|components|scripts|index\\.ts)|node_modules/(@pulumi|yargs|cli-table3)/" },
    },
    {
      name: "bin-knows-ops-only",
      comment: "The CLI works without Pulumi; components are for programs of the engine.",
      severity: "error",
      from: { path: "^bin/", pathNot: "^bin/stack/" },
      to: { path: "^(components|scripts|index\\.ts)|node_modules/@pulumi/" },
    },
    {
      name: "bin-stack-joins-cli-and-engine",
      severity: "error",
      from: { path: "^bin/stack/" },
      to: { path: "^components/|node_modules/@pulumi/(?!pulumi/automation)" },
    },
    {
      name: "bin-talks-to-servers-through-ops",
      severity: "error",
      from: { path: "^bin/" },
      to: { path: "node_modules/(ssh2|undici)/" },
    },
    {
      name: "components-do-not-know-the-cli",
      severity: "error",
      from: { path: "^(components/|index\\.ts)" },
      to: { path: "^bin/" },
    },
    {
      name: "scripts-need-nothing-installed",
      comment: "They run before npm ci; what needs a package or the build asks for it when that is there.",
      severity: "error",
      from: { path: "^scripts/" },
      to: {
        path: "^(bin|components|ops|dist|index\\.ts)|node_modules/",
        pathNot: "node_modules/(yaml|@types|typescript)/",
      },
    },
    {
      name: "no-test-code-outside-tests",
      severity: "error",
      from: { pathNot: "^tests/" },
      to: { path: "^tests/" },
    },
    {
      name: "nothing-missing",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^containarium/" },
    },
    {
      name: "no-dev-dependencies-at-run-time",
      severity: "error",
      from: { path: "^(bin|components|ops|index\\.ts)" },
      to: { dependencyTypes: ["npm-dev"], pathNot: "node_modules/@types/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules|^dist/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["require", "node", "default", "types"] },
  },
};
