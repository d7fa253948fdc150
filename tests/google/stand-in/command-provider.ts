import { randomBytes } from "node:crypto";

import { startAgain } from "./backing";
import { CommandLog, type CommandRun } from "./command-log";
import type { Properties, PropertyChange, StandInProvider } from "./engine-protocol";
import { machineHost, standInDirectory } from "./environment";
import { forMachine } from "./machines/served";
import { PretendedProject, type Thing } from "./project";
import { changesBetween, valuesAt } from "./properties";
import { runBySsh, type SshOutcome } from "./ssh-command";

const command = "command:remote:Command";

/**
 * `command.remote.Command`: over SSH where there are machines; else it writes down what would have run, and the pretended
 * VM at that address runs its startup files again.
 */
export function commandProvider(env: NodeJS.ProcessEnv): StandInProvider {
  const project = new PretendedProject(standInDirectory(env));
  const log = new CommandLog(project.directory);
  const machines = machineHost(env) !== undefined;

  const run = async (name: string, action: CommandRun["action"], text: unknown, inputs: Properties) => {
    if (typeof text !== "string") return { stdout: "", stderr: "" };
    const connection = (inputs.connection ?? {}) as Properties;
    const { host, user, hostKey, port = 22 } = connection;
    const entry = { action, command: text, host, user, port, hostKey, triggers: inputs.triggers } as CommandRun;
    log.add(name, entry);
    const vm = project.all("Instance").find((one) => addressesOf(one).includes(host));
    if (machines) return await runBySsh(vm === undefined ? text : forMachine(text, vm), connection, inputs);
    return pretend(project, vm, entry, log.failureOf(name));
  };

  return {
    version: "1.2.1",
    configure() {},

    check({ type }, inputs) {
      if (type !== command) return [{ property: "", reason: `this stand-in has no ${type}` }];
      const refused = machines && (inputs.connection as Properties | undefined)?.hostKey === undefined;
      return refused ? [{ property: "connection.hostKey", reason: "no host key is pinned: whoever answers would be trusted" }] : []; // prettier-ignore
    },

    // Like the real one: a trigger runs `update` where there is one, and replaces where there is none.
    diff: (_resource, olds, news) => ({
      changes: changesBetween(olds, news).map((change): PropertyChange => ({
        ...change,
        replace: /^triggers($|[.[])/.test(change.path) && news.update === undefined,
      })),
      deleteBeforeReplace: false,
    }),

    preview: (_resource, inputs, olds) => ({ ...olds, ...inputs }),

    async create({ name }, inputs) {
      const outcome = await run(name, "create", inputs.create, inputs);
      return { id: `${name}${randomBytes(4).toString("hex")}`, outputs: { ...inputs, ...outcome } };
    },

    // There is nothing to look at: what ran, ran.
    read: async (_resource, id, state) => ({ id, outputs: state, inputs: inputsOf(state) }),

    async update({ name }, _id, _state, inputs) {
      return { ...inputs, ...(await run(name, "update", inputs.update ?? inputs.create, inputs)) };
    },

    async delete({ name }, _id, state) {
      await run(name, "delete", state.delete, state);
    },

    async invoke(token) {
      throw new Error(`this stand-in has no function ${token}`);
    },
  };
}

/** What SSH would meet: a VM that is there, runs, and has the host key that was pinned. */
function pretend(
  project: PretendedProject,
  vm: Thing | undefined,
  run: CommandRun,
  failure: string | undefined,
): SshOutcome {
  if (vm === undefined || vm.outputs.currentStatus !== "RUNNING" || vm.guest === undefined) {
    throw new Error(`dial tcp ${run.host}:${run.port}: i/o timeout`);
  }
  const actual = vm.guest["containarium/host-key"];
  if (run.hostKey !== undefined && run.hostKey !== actual) throw new Error("ssh: handshake failed: knownhosts: key mismatch"); // prettier-ignore
  if (failure !== undefined) throw new Error(`${failure}: Process exited with status 1`);
  startAgain(project, vm);
  return { stdout: "", stderr: "" };
}

function addressesOf({ inputs }: Thing): unknown[] {
  return ["networkInterfaces[].networkIp", "networkInterfaces[].accessConfigs[].natIp"].flatMap((at) =>
    valuesAt(inputs, at),
  );
}

function inputsOf({ stdout: _, stderr: __, ...inputs }: Properties): Properties {
  return inputs;
}
