/** The promises that the repository makes about itself. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { parseCommandLine } from "../bin/parse";

interface Lockfile {
  packages: Record<string, { version?: string; resolved?: string; optionalDependencies?: Record<string, string> }>;
}

const root = process.cwd();
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
const manifest = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;

/** Tracked and new files; where there is no git, everything but what is built and installed. */
function projectFiles(): string[] {
  try {
    const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return listed.split("\0").filter((file) => file !== "" && existsSync(path.join(root, file)));
  } catch {
    return filesUnder("");
  }
}

function filesUnder(folder: string): string[] {
  const left = ["node_modules", "dist", ".git", ".containarium", "coverage"];
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (folder === "" && left.includes(entry.name)) return [];
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(file) : [file];
  });
}

const files = projectFiles();

describe("packages", () => {
  it.each(["dependencies", "devDependencies"])("%s are pinned to the exact version", (kind) => {
    const loose = Object.entries(manifest[kind] ?? {}).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
    expect(loose).toEqual([]);
  });

  const lock = JSON.parse(read("package-lock.json")) as Lockfile;

  it("the lockfile names no registry", () => {
    expect(Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  it("the lockfile knows every platform's packages: npm ci refuses it otherwise", () => {
    const known = Object.keys(lock.packages).map((name) => name.replace(/^.*node_modules\//, ""));
    const wanted = Object.values(lock.packages).flatMap(({ optionalDependencies }) =>
      Object.keys(optionalDependencies ?? {}),
    );
    expect(wanted.filter((name) => !known.includes(name))).toEqual([]);
  });

  it("what runs before npm ci needs no package", () => {
    const programs = [
      "quickstart",
      "quickstart-down",
      "test",
      "pulumi",
      "fresh-build",
      "host-setup",
      "check",
      "engine-install",
      "test-vm",
      "test-life",
    ];
    const folder = mkdtempSync(path.join(os.tmpdir(), "containarium-bare-"));
    for (const name of ["scripts", "package.json"]) symlinkSync(path.join(root, name), path.join(folder, name));
    for (const program of programs) {
      const load = `require(${JSON.stringify(path.join(folder, "scripts", program))})`;
      const { status, stderr } = spawnSync(process.execPath, ["--preserve-symlinks", "-e", load], {
        cwd: folder,
        encoding: "utf8",
      });
      expect({ program, status, stderr }).toEqual({ program, status: 0, stderr: "" });
    }
    rmSync(folder, { recursive: true });
  });
});

describe("text", () => {
  const texts = files.filter((file) => !/\.(png|svg|ico|gz|zst)$|^scripts\/engine\/|^package-lock\.json$/.test(file));

  it.each([
    ["folder of one machine", ["/wo", "rk/"], ["/ro", "ot/.cache"], ["/home/", "runner"]],
    ["package registry", ["registry.", "npmjs"], ["proxy.", "golang"], ["sum.", "golang"]],
  ])("names no %s", (_what, ...parts) => {
    const forbidden = parts.map((pieces) => pieces.join(""));
    const found = texts.flatMap((file) =>
      read(file)
        .split("\n")
        .flatMap((line, index) =>
          forbidden.some((text) => line.includes(text)) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
        ),
    );
    expect(found).toEqual([]);
  });

  it("no file is called utils", () => {
    expect(files.filter((file) => /(^|\/)util(s|ities)?(\/|\.)/.test(file))).toEqual([]);
  });

  it("source files stay below 300 lines", () => {
    const sources = files.filter((file) => /^(bin|components|ops|scripts)\/.*\.(ts|js)$|^index\.ts$/.test(file));
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.filter((file) => read(file).split("\n").length > 300)).toEqual([]);
  });
});

describe("import direction", () => {
  const cruise = (folder: string, ...what: string[]) =>
    spawnSync(
      path.join(root, "node_modules", ".bin", "depcruise"),
      ["--config", path.join(root, ".dependency-cruiser.js"), ...what],
      {
        cwd: folder,
        encoding: "utf8",
        // Where CI is set, it would paint what the tests read.
        env: { ...process.env, CI: undefined, FORCE_COLOR: undefined, NO_COLOR: "1" },
      },
    );

  it("bin -> ops, index -> components -> ops, and no cycles", () => {
    const { status, stdout } = cruise(root, "index.ts", "ops", "components", "bin", "scripts", "tests");
    expect(status === 0 ? "" : stdout).toBe("");
  }, 60_000);

  it("is noticed when it is broken, rule by rule", () => {
    const broken: Record<string, [string, string]> = {
      "ops/pulumi.ts": ['import "@pulumi/pulumi";', "ops-stands-alone"],
      "ops/cli.ts": ['import "../bin/b";', "ops-stands-alone"],
      "ops/c.ts": ['import "./d"; export const c = 1;', "no-cycles"],
      "bin/pulumi.ts": ['import "@pulumi/pulumi";', "bin-knows-ops-only"],
      "bin/ssh.ts": ['import "ssh2";', "bin-talks-to-servers-through-ops"],
      "components/cli.ts": ['import "../bin/b";', "components-do-not-know-the-cli"],
      "scripts/packaged.js": ['require("yargs");', "scripts-need-nothing-installed"],
    };
    const folder = mkdtempSync(path.join(os.tmpdir(), "containarium-cruise-"));
    const write = (name: string, text: string) => {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), text);
    };
    for (const name of ["tsconfig.json", "package.json"]) write(name, read(name));
    write("bin/b.ts", "export const b = 1;");
    write("ops/d.ts", 'import "./c";');
    for (const [file, [text]] of Object.entries(broken)) write(file, text);
    symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
    const { status, stdout } = cruise(folder, "bin", "components", "ops", "scripts");
    for (const [file, [, rule]] of Object.entries(broken)) expect(stdout).toMatch(new RegExp(`error ${rule}: ${file}`));
    expect(status).not.toBe(0);
    rmSync(folder, { recursive: true });
  }, 60_000);
});

describe("documented commands", () => {
  const commands = files
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) => codeLines(read(file)).map((line) => ({ file, line })));

  it("there are some", () => expect(commands.length).toBeGreaterThan(5));

  it("every npm script exists", () => {
    const named = commands.flatMap(({ line }) =>
      [...line.matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)].map(([, name]) => name ?? ""),
    );
    expect(named.filter((name) => manifest.scripts?.[name] === undefined)).toEqual([]);
  });

  it("every containarium-ops command line is understood", async () => {
    const wrong: string[] = [];
    for (const { file, line } of commands) {
      for (const [, rest = ""] of line.matchAll(/(?:^|[;&|(]\s*|\$\s|npx )containarium-ops ([a-z-][^;&|>)#]*)/g)) {
        // A column of explanation stands apart by two spaces.
        const args =
          rest
            .trim()
            .split(/\s{2,}/)[0]
            ?.split(/\s+/) ?? [];
        await parseCommandLine(args).catch((error: Error) =>
          wrong.push(`${file}: containarium-ops ${args.join(" ")}: ${error.message}`),
        );
      }
    }
    expect(wrong).toEqual([]);
  });
});

/** Lines of fenced blocks, and inline code. */
function codeLines(markdown: string): string[] {
  const fenced = [...markdown.matchAll(/^```[^\n]*\n([\s\S]*?)^```/gm)].flatMap(
    ([, block]) => block?.split("\n") ?? [],
  );
  const inline = [...markdown.replace(/^```[\s\S]*?^```/gm, "").matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? "");
  return [...fenced, ...inline].map((line) => line.trim());
}
