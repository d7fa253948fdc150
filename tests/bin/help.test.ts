import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { commandTable } from "../../bin/commands";
import { nameOf } from "../../bin/commands/name-of";
import { completionScript } from "../../bin/help/completion";
import { manPage } from "../../bin/help/man-page";
import { parseCommandLine } from "../../bin/parse";

const table = commandTable();
/** Needs a program that reads what we write: skipped where it is missing, but for where nothing may be missing. */
const testWith = (program: string, what: string, check: () => void) => {
  const missing = spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0;
  if (missing && process.env["CONTAINARIUM_REQUIRE"] !== "1") test.skip(`${what} (${program} is not installed)`, check);
  else test(what, check);
};

async function help(...words: string[]): Promise<string> {
  const request = await parseCommandLine([...words, "--help"]);
  return request.kind === "show" ? request.text : "";
}

/** `--memory`, `-y`: what the text names as options. */
const optionsIn = (text: string) => [
  ...new Set([...text.matchAll(/(?<![\w-])--?[a-z][a-z-]*/g)].map(([word]) => word)),
];

describe("the man page", () => {
  const source = manPage(table, "1.2.3");
  const words = source.replaceAll("\\-", "-");
  const section = (usage: string) => words.split(/^\.S[SH] /m).find((part) => part.startsWith(`${usage}\n`)) ?? "";

  test.each(table.commands.map(({ usage }): [string] => [usage]))(
    "has %s with all that its --help has",
    async (usage) => {
      const shown = await help(...nameOf(usage).split(" "));
      const own =
        shown
          .split(/^Where it acts/m)[0]
          ?.split(/^Options of .*:$/m)[1]
          ?.split(/^\w/m)[0] ?? "";
      const heads = own.split("\n").flatMap((line) => /^ {2,6}((?:-\w, )?--[\w-]+)/.exec(line)?.[1]?.split(", ") ?? []);
      const text = section(usage);
      expect(text).not.toBe("");
      expect(heads.filter((option) => !optionsIn(text).includes(option))).toEqual([]);
      const { options, examples } = table.commands.find((one) => one.usage === usage)!;
      expect(heads.filter((word) => word.startsWith("--"))).toHaveLength(Object.keys(options).length);
      expect(text.match(/^\.nf$/gm) ?? []).toHaveLength(examples.length);
    },
  );

  test("has the options of every command, and the exit codes", async () => {
    const shown = (await help()).split(/^Where it acts/m)[1] ?? "";
    const heads = shown.split("\n").flatMap((line) => /^ +((?:-\w, )?--[\w-]+)/.exec(line)?.[1]?.split(", ") ?? []);
    expect(heads.length).toBeGreaterThan(8);
    expect(heads.filter((option) => !optionsIn(section("OPTIONS OF EVERY COMMAND")).includes(option))).toEqual([]);
    for (const code of [0, 1, 2, 3, 4, 5, 6, 7, 8, 130]) expect(section("EXIT STATUS")).toContain(`.B ${code}\n`);
  });

  const lint: [string, string[]][] = [
    ["groff", ["-man", "-Tutf8", "-ww", "-z"]],
    ["mandoc", ["-T", "lint", "-W", "warning"]],
  ];
  for (const [program, args] of lint) {
    testWith(program, `${program} reads it without a warning`, () => {
      const { stdout, stderr } = spawnSync(program, args, { input: source, encoding: "utf8" });
      // It is made anew by every build, and has no date of its own.
      const warnings = `${stdout}${stderr}`.split("\n").filter((line) => line !== "" && !line.includes("missing date"));
      expect(warnings).toEqual([]);
    });
  }

  test("a line of text is never taken for a request", () => {
    const [create] = table.commands;
    const odd = { ...create!, describe: ".so /etc/passwd", examples: [["'x \\fB", "y"]] as [string, string][] };
    const page = manPage({ ...table, commands: [odd] }, "1");
    expect(page).toContain("\\&.so /etc/passwd");
    expect(page).toContain("\n\\(aqx \\efB");
  });
});

describe("completion", () => {
  /** What bash offers after these words, the last of which is being typed. */
  function complete(...words: string[]): string[] {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-completion-"));
    const file = path.join(folder, "completion");
    fs.writeFileSync(file, completionScript("bash", table));
    const script = `source "$1"; shift; complete -p containarium-ops >&2 || exit 9
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _containarium_ops; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { status, stdout, stderr } = spawnSync(
      "bash",
      ["--norc", "-uc", script, "bash", file, "containarium-ops", ...words],
      {
        encoding: "utf8",
      },
    );
    fs.rmSync(folder, { recursive: true });
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/^complete .*_containarium_ops/) });
    return stdout.split("\n").filter(Boolean);
  }

  test("commands and groups stand first", () => {
    const first = [...table.commands.map(({ usage }) => nameOf(usage).split(" ")[0]!), ...Object.keys(table.groups)];
    expect(complete("").sort()).toEqual([...new Set(first)].sort());
    expect(complete("re").sort()).toEqual(["resize", "restart", "restore"]);
  });

  test("an option with its value in one word is no command", () => {
    expect(complete("--stack", "=", "prod", "keys", "re")).toEqual(["remove", "replace"]);
    expect(complete("create", "alice", "--ssh-key", "=")).toEqual([]);
    expect(complete("create", "alice", "--ssh-key", "=", "al")).toEqual([]);
  });

  test("a group has its members", () => {
    expect(complete("image", "")).toEqual(["list", "bake", "outdated"]);
    expect(complete("--stack", "prod", "keys", "re")).toEqual(["remove", "replace"]);
  });

  test("every command has its options, and those of every command", () => {
    for (const { usage, options } of table.commands) {
      const offered = complete(...nameOf(usage).split(" "), "--");
      for (const name of [...Object.keys(options), ...Object.keys(table.globals)])
        expect(offered).toContain(`--${name}`);
    }
    expect(complete("resize", "alice", "--mem")).toEqual(["--memory"]);
    expect(complete("list", "--mem")).toEqual([]);
    expect(complete("create", "--no-d")).toEqual(["--no-docker"]);
  });

  test("an option's value is the shell's business: a file", () => {
    expect(complete("create", "alice", "--ssh-key", "")).toEqual([]);
  });

  for (const shell of ["zsh", "fish"] as const) {
    testWith(shell, `${shell} can read its own`, () => {
      const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "completion-")), shell);
      fs.writeFileSync(file, completionScript(shell, table));
      const { status, stderr } = spawnSync(shell, ["-n", file], { encoding: "utf8" });
      fs.rmSync(path.dirname(file), { recursive: true });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    });
  }

  test("fish does not take `keys list` for `list`", () => {
    const [line] = completionScript("fish", table).split("\n").filter((one) => /from resize; and not .*-l memory /.test(one)); // prettier-ignore
    for (const group of Object.keys(table.groups)) expect(line).toContain(group);
  });

  test("fish has every command and option", () => {
    const script = completionScript("fish", table);
    for (const { options } of table.commands) {
      for (const name of Object.keys(options)) expect(script).toContain(` -l ${name} `);
    }
  });
});
