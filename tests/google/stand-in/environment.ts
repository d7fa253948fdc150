import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { MachineHost, type MachinesOptions } from "./machines/host";

export interface StandInOptions {
  env?: NodeJS.ProcessEnv;
  /** Behind the pretended VMs are machines on this host. Default: nothing is. */
  machines?: MachinesOptions;
}

/**
 * What the engine runs with, so that @pulumi/gcp and @pulumi/command talk to the stand-ins: their programs on PATH, and
 * where the pretended project is. `directory` is made; delete it when everything is over.
 */
export function standInEnvironment(
  directory: string,
  { env = process.env, machines }: StandInOptions = {},
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
    ...(machines === undefined ? {} : { CONTAINARIUM_STAND_IN_MACHINES: JSON.stringify(machines) }),
  };
}

/** Where everything about the pretended project is. */
export function standInDirectory(env: NodeJS.ProcessEnv): string {
  const directory = env.CONTAINARIUM_STAND_IN;
  if (directory === undefined) throw new Error("CONTAINARIUM_STAND_IN is not set: see standInEnvironment");
  return directory;
}

export function machineHost({ CONTAINARIUM_STAND_IN_MACHINES: options }: NodeJS.ProcessEnv): MachineHost | undefined {
  return options === undefined ? undefined : new MachineHost(JSON.parse(options) as MachinesOptions);
}
