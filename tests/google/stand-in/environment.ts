import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";

export interface StandInOptions {
  env?: NodeJS.ProcessEnv;
  /** Behind the pretended VMs are machines on this host. */
  machines?: boolean;
}

/**
 * What the engine runs with, so that @pulumi/gcp and @pulumi/command talk to the stand-ins: their programs on PATH, and
 * where the pretended project is. `directory` is made; delete it when everything is over.
 */
export function standInEnvironment(
  directory: string,
  { env = process.env, machines = false }: StandInOptions = {},
): NodeJS.ProcessEnv {
  const bin = path.join(directory, "bin");
  mkdirSync(bin, { recursive: true });
  for (const provider of ["gcp", "command"]) {
    const program = path.join(bin, `pulumi-resource-${provider}`);
    const main = path.join(__dirname, "main.js");
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${main}" ${provider} "$@"\n`);
    chmodSync(program, 0o755);
  }
  return {
    ...env,
    PATH: [bin, env.PATH].join(path.delimiter),
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    CONTAINARIUM_STAND_IN: directory,
    ...(machines ? { CONTAINARIUM_STAND_IN_MACHINES: "1" } : {}),
  };
}

/** Where everything about the pretended project is. */
export function standInDirectory(env: NodeJS.ProcessEnv): string {
  const directory = env.CONTAINARIUM_STAND_IN;
  if (directory === undefined) throw new Error("CONTAINARIUM_STAND_IN is not set: see standInEnvironment");
  return directory;
}
