"use strict";

const js = require("@eslint/js");
const typescript = require("typescript-eslint");

const nodeGlobals = Object.fromEntries(
  ["AbortController", "Buffer", "__dirname", "clearInterval", "clearTimeout", "console", "fetch", "module", "process",
    "require", "setImmediate", "setInterval", "setTimeout", "URL"].map((name) => [name, "readonly"]), // prettier-ignore
);

module.exports = typescript.config(
  { ignores: ["dist/", "coverage/", "node_modules/", ".containarium/"] },
  {
    files: ["index.ts", "ops/**/*.ts", "components/**/*.ts", "bin/**/*.ts"],
    extends: [js.configs.recommended, ...typescript.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: __dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      // A leading _ says: not used, on purpose.
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // `JSON.parse(text) as Thing` says what is expected, needed by the compiler or not.
      "@typescript-eslint/no-unnecessary-type-assertion": "off",
      // Functions of plain objects are taken apart on purpose; nothing of ours relies on `this` there.
      "@typescript-eslint/unbound-method": "off",
      // An interface may ask for a promise of what is at hand.
      "@typescript-eslint/require-await": "off",
      // What runs the program decides how it ends; see bin/main.ts.
      "no-restricted-syntax": [
        "error",
        {
          selector: "CallExpression[callee.object.name='process'][callee.property.name='exit']",
          message: "Set process.exitCode, or throw.",
        },
      ],
    },
  },
  {
    // Pulumi serialises it: it may name nothing outside, types least of all. See the file.
    files: ["components/stub.ts"],
    rules: Object.fromEntries(
      ["no-unsafe-return", "no-unsafe-call", "no-unsafe-member-access", "no-require-imports"].map((rule) => [
        `@typescript-eslint/${rule}`,
        "off",
      ]),
    ),
  },
  {
    // The one place that may end the process.
    files: ["bin/main.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
  {
    files: ["ops/**/*.ts"],
    rules: { "no-console": "error" },
  },
  {
    files: ["tests/**/*.ts"],
    extends: [js.configs.recommended, ...typescript.configs.recommended],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: __dirname } },
    rules: {
      // A promise that nobody awaits is a test that cannot fail.
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-require-imports": "off",
      // Fakes stand in for things without types.
      "@typescript-eslint/no-explicit-any": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  {
    files: ["**/*.js", "bin/containarium-ops"],
    extends: [js.configs.recommended],
    languageOptions: { sourceType: "commonjs", globals: nodeGlobals },
    rules: { "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrors: "none" }] },
  },
);
