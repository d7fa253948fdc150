import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { buildDirectory, engineEnvironment, engineVersion, findEngine, requireEngine } from "../../scripts/engine";
import { ensureEngine } from "../../scripts/engine-install";
import type { Runner } from "../../scripts/run";

let directory: string;
let env: NodeJS.ProcessEnv;
let project: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "containarium-engine-"));
  project = path.join(directory, "project");
  mkdirSync(project);
  env = {
    PATH: `${path.join(directory, "bin")}:/usr/bin:/bin`,
    CONTAINARIUM_CACHE: path.join(directory, "cache"),
    PULUMI_HOME: path.join(directory, "home"),
  };
});
afterEach(() => rmSync(directory, { recursive: true }));

function program(file: string, script = "exit 0"): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

function engineOnPath(version: string, languageHost = true): void {
  program(path.join(directory, "bin", "pulumi"), `echo asked >> ${directory}/asked; echo v${version}`);
  if (languageHost) program(path.join(directory, "bin", "pulumi-language-nodejs"));
}

function engineIn(folder: string): void {
  program(path.join(folder, "pulumi"));
  program(path.join(folder, "pulumi-language-nodejs"));
}

describe("findEngine", () => {
  it.each([
    ["3.200.0", true],
    ["3.248.0", true],
    ["3.300.1", true],
    ["3.199.9", false],
    ["2.300.0", false],
    ["4.0.0", false],
  ])("on PATH, version %s: fits is %s", (version, fits) => {
    engineOnPath(version);
    expect(findEngine(env)?.version).toBe(fits ? version : undefined);
  });

  it("does not take one without a language host", () => {
    engineOnPath("3.248.0", false);
    expect(findEngine(env)).toBeUndefined();
  });

  it("does not take one that cannot run", () => {
    program(path.join(directory, "bin", "pulumi"), "exit 1");
    program(path.join(directory, "bin", "pulumi-language-nodejs"));
    expect(findEngine(env)).toBeUndefined();
  });

  it("asks an engine on PATH for its version once, and again after it was changed", () => {
    engineOnPath("3.210.0");
    findEngine(env);
    findEngine(env);
    expect(readFileSync(path.join(directory, "asked"), "utf8")).toBe("asked\n");
    engineOnPath("3.220.10");
    expect(findEngine(env)?.version).toBe("3.220.10");
  });

  it("prefers PATH, then the download, then the build", () => {
    engineIn(buildDirectory(env));
    expect(findEngine(env)?.origin).toBe("built");
    engineIn(path.join(directory, "home", "versions", engineVersion, "bin"));
    expect(findEngine(env)?.origin).toBe("download");
    engineOnPath("3.248.0");
    expect(findEngine(env)?.origin).toBe("path");
  });

  it("does not take half a build", () => {
    program(path.join(buildDirectory(env), "pulumi"));
    expect(findEngine(env)).toBeUndefined();
  });
});

it("requireEngine says what to do when there is none", () => {
  expect(() => requireEngine(env)).toThrow("the Pulumi engine is not on this machine");
});

describe("engineEnvironment", () => {
  beforeEach(() => engineIn(buildDirectory(env)));

  it("keeps the local stack's state and passphrase in the project's folder, the passphrase for its owner only", () => {
    const made = engineEnvironment(project, "local", env);
    expect(made.PULUMI_BACKEND_URL).toBe(`file://${project}/.containarium/state`);
    const file = made.PULUMI_CONFIG_PASSPHRASE_FILE ?? "";
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8").trim().length).toBeGreaterThan(20);
    const passphrase = readFileSync(file, "utf8");
    engineEnvironment(project, "local", env);
    expect(readFileSync(file, "utf8")).toBe(passphrase);
  });

  it("puts engine and dynamic provider on PATH, before what was there", () => {
    const folders = (engineEnvironment(project, "local", env).PATH ?? "").split(":");
    expect(folders[0]).toBe(buildDirectory(env));
    expect(folders.some((folder) => existsSync(path.join(folder, "pulumi-resource-pulumi-nodejs")))).toBe(true);
    expect(folders.at(-1)).toBe("/bin");
  });

  it("has Node load less of Pulumi, once, beside what Node was told already", () => {
    const first = engineEnvironment(project, "local", { ...env, NODE_OPTIONS: "--no-warnings" });
    expect(first.NODE_OPTIONS).toMatch(/^--no-warnings --require ".*defer-modules\.js"$/);
    expect(engineEnvironment(project, "local", first).NODE_OPTIONS).toBe(first.NODE_OPTIONS);
  });

  it("does not let a built engine try downloads, but lets others", () => {
    expect(engineEnvironment(project, "local", env).PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION).toBe("true");
    engineOnPath("3.248.0");
    expect(engineEnvironment(project, "local", env).PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION).toBeUndefined();
  });

  it.each([
    ["a backend that was given", { PULUMI_BACKEND_URL: "file:///elsewhere" }, "local"],
    ["somebody else's project", {}, "prod"],
    ["a project with a backend of its own", {}, undefined],
  ])("leaves %s alone, and makes no files there", (_what, given, stack) => {
    writeFileSync(path.join(project, "Pulumi.yaml"), "name: x\nbackend:\n  url: gs://bucket\n");
    const made = engineEnvironment(project, stack, { ...env, ...given });
    expect(made.PULUMI_BACKEND_URL).toBe((given as NodeJS.ProcessEnv).PULUMI_BACKEND_URL);
    expect(existsSync(path.join(project, ".containarium"))).toBe(false);
  });

  it("takes a given passphrase", () => {
    const made = engineEnvironment(project, "local", { ...env, PULUMI_CONFIG_PASSPHRASE: "" });
    expect(made.PULUMI_CONFIG_PASSPHRASE_FILE).toBeUndefined();
  });
});

describe("ensureEngine", () => {
  const said: string[] = [];
  const onProgress = (line: string) => void said.push(line);
  beforeEach(() => (said.length = 0));

  /** Answers as npm and Go do; `go build` writes what it was asked for, unless it is to fail. */
  function machine(parts: {
    download?: boolean;
    go?: string;
    toolchain?: string;
    fail?: string;
  }): Runner & { commands: string[] } {
    const commands: string[] = [];
    const runner: Runner = (command, options) => {
      commands.push(command.join(" "));
      const result = { code: 0, stdout: "", stderr: "" };
      if (command[0] === "npm") {
        if (!parts.download) return Promise.resolve({ ...result, code: 1, stderr: "pulumi: fetch failed\n" });
        engineIn(path.join(directory, "home", "versions", options?.env?.PULUMI_VERSION ?? "", "bin"));
      }
      if (command.includes("GOVERSION")) {
        // Go 1.21 and newer becomes the Go that go.mod names, but only in that module's folder.
        const inModule = existsSync(path.join(options?.cwd ?? "", "go.mod"));
        const version = inModule ? (parts.toolchain ?? parts.go) : parts.go;
        return Promise.resolve({ ...result, stdout: `${version}\n` });
      }
      if (command[1] === "build") {
        const output = command[command.indexOf("-o") + 1] ?? "";
        if (path.basename(output) === parts.fail)
          return Promise.resolve({ ...result, code: 1, stderr: "no space left\n" });
        program(output, 'echo "$@"');
      }
      return Promise.resolve(result);
    };
    if (parts.go) program(path.join(directory, "bin", "go"));
    return Object.assign(runner, { commands });
  }

  it("changes nothing when one is there", async () => {
    engineOnPath("3.248.0");
    const runner = machine({});
    expect((await ensureEngine({ onProgress, runner, env })).origin).toBe("path");
    expect(runner.commands).toEqual([]);
  });

  it("takes the download where it works", async () => {
    const runner = machine({ download: true, go: "go1.26.0" });
    expect((await ensureEngine({ onProgress, runner, env })).origin).toBe("download");
    expect(runner.commands.filter((command) => command.includes("go build"))).toEqual([]);
  });

  it("builds both programs where the download is blocked, once for several who ask", async () => {
    const runner = machine({ go: "go1.26.8" });
    const engines = await Promise.all([1, 2].map(() => ensureEngine({ onProgress, runner, env })));
    expect(engines.map(({ origin }) => origin)).toEqual(["built", "built"]);
    const built = runner.commands.filter((command) => command.startsWith("go build"));
    expect(built).toHaveLength(2);
    expect(built.join("\n")).toContain(`common/version.Version=v${engineVersion}`);
    expect(said.join("\n")).toMatch(/the download does not work here \(pulumi: fetch failed\)/);
  });

  it("takes an older Go that fetches the one it needs", async () => {
    const runner = machine({ go: "go1.24.4", toolchain: "go1.25.11" });
    expect((await ensureEngine({ onProgress, runner, env })).origin).toBe("built");
  });

  it("tells its language host that a project is no TypeScript, also when the build is older than this", async () => {
    const { languageHost } = await ensureEngine({ onProgress, runner: machine({ go: "go1.26.8" }), env });
    const linked = path.join(directory, "linked");
    symlinkSync(languageHost, linked);
    const started = (project: string, program = languageHost) => {
      writeFileSync(path.join(directory, "Pulumi.yaml"), project);
      return execFileSync(program, ["127.0.0.1:1"], { cwd: directory, encoding: "utf8" });
    };
    const check = () => {
      const ours = readFileSync("Pulumi.yaml", "utf8");
      for (const program of [languageHost, linked])
        expect(started(ours, program)).toBe("-typescript=false 127.0.0.1:1\n");
      expect(started("name: theirs\nruntime: nodejs\n")).toBe("127.0.0.1:1\n");
    };
    check();
    rmSync(path.join(path.dirname(languageHost), "host"), { recursive: true });
    program(languageHost, 'echo "$@"');
    for (let again = 0; again < 2; again++) {
      await ensureEngine({ onProgress, runner: machine({}), env });
      check();
    }
  });

  it("clears away what a killed build left", async () => {
    const left = `${path.dirname(buildDirectory(env))}.build-killed`;
    program(path.join(left, "bin", "pulumi"));
    await ensureEngine({ onProgress, runner: machine({ go: "go1.26.8" }), env });
    expect(existsSync(left)).toBe(false);
  });

  it("leaves nothing that looks like an engine when a build fails", async () => {
    const runner = machine({ go: "go1.26.8", fail: "pulumi" });
    await expect(ensureEngine({ onProgress, runner, env })).rejects.toMatchObject({
      message: "pulumi could not be built",
      log: "no space left",
    });
    expect(findEngine(env)).toBeUndefined();
  });

  it.each([
    ["there is no Go", undefined, /no Go to build it with/],
    ["Go is too old", "go1.19.8", /go1\.19\.8 is too old/],
    ["Go is a little too old", "go1.25.3", /go1\.25\.3 is too old/],
  ])("says what to do where %s", async (_what, go, message) => {
    const lone = { ...env, PATH: path.join(directory, "bin") };
    await expect(ensureEngine({ onProgress, runner: machine({ go }), env: lone })).rejects.toMatchObject({
      message: expect.stringMatching(message),
      log: "pulumi: fetch failed",
      remedy: expect.stringMatching(/put Pulumi 3\.200 or newer on PATH[\s\S]*put Go 1\.25\.\d+ or newer/),
    });
  });
});
