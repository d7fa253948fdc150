import fs from "node:fs";
import path from "node:path";
import { parse } from "yaml";

import { InvalidInputError } from "../../ops/errors";

/** A Pulumi project on disk: the folder of the nearest `Pulumi.yaml`, seen from where the command was started. */
export interface Project {
  root: string;
  /** Its name; the first part of every config key and URN. */
  name: string;
  /** What people type to run the engine here: `npm run pulumi --` where the project has that script. */
  pulumi: string;
}

/** The project's folder, or undefined when there is no `Pulumi.yaml` here or above. */
export function findProjectRoot(from: string): string | undefined {
  for (let folder = path.resolve(from); ; folder = path.dirname(folder)) {
    if (projectFile(folder)) return folder;
    if (folder === path.dirname(folder)) return undefined;
  }
}

/** @throws InvalidInputError when there is none; the remedy names the ways to do without. */
export function findProject(from: string): Project {
  const root = findProjectRoot(from);
  const file = root && projectFile(root);
  if (!root || !file) {
    throw new InvalidInputError("no Pulumi.yaml here or in any folder above", {
      remedy: "Run this inside the project's folder, or name one server with --host user@address (or --local on it).",
    });
  }
  let name: unknown;
  try {
    name = (parse(fs.readFileSync(file, "utf8")) as { name?: unknown } | null)?.name;
  } catch (error) {
    throw new InvalidInputError(`${file} is not valid YAML`, { cause: error });
  }
  if (typeof name !== "string" || name === "") {
    throw new InvalidInputError(`${file} has no name`, { remedy: "Every Pulumi project has one:  name: containarium" });
  }
  return { root, name, pulumi: hasPulumiScript(root) ? "npm run pulumi --" : "pulumi" };
}

function projectFile(folder: string): string | undefined {
  return ["Pulumi.yaml", "Pulumi.yml"].map((name) => path.join(folder, name)).find((file) => fs.existsSync(file));
}

function hasPulumiScript(root: string): boolean {
  try {
    const manifest = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as {
      scripts?: Record<string, string>;
    };
    return manifest.scripts?.pulumi !== undefined;
  } catch {
    return false;
  }
}
