import { regionOf } from "../../../components/fleet-plan";
import { type Backing, pretence } from "./backing";
import { diffOf } from "./diff";
import type { Made, Properties, Resource, StandInProvider } from "./engine-protocol";
import { machineHost, standInDirectory } from "./environment";
import { getDisk, getInstance, getInstanceGuestAttributes } from "./invokes";
import { types } from "./kinds";
import { machines } from "./machines/backing";
import { currentOutputs, firstOutputs } from "./outputs";
import { PretendedProject, type Thing } from "./project";
import { valuesAt } from "./properties";
import { checkReferences, goneWith, GoogleError, idOf, kindOf, refuseDeletionInUse } from "./references";
import { stops } from "./stops";

/** Google's side of the engine: a project that is a folder, and, with another backing, machines on this host. */
export function gcpProvider(env: NodeJS.ProcessEnv, { operationMs = 200 } = {}): StandInProvider {
  const project = new PretendedProject(standInDirectory(env));
  const host = machineHost(env);
  const backing: Backing = host === undefined ? pretence(project) : machines(project, host);
  let config: Properties = {};

  /** Project, region and zone of a thing, as far as its kind has them. */
  const placeOf = (type: string, inputs: Properties): Properties => {
    const zone = inputs.zone ?? config.zone;
    const region = inputs.region ?? (typeof zone === "string" ? regionOf(zone) : config.region);
    const all: Properties = { project: inputs.project ?? config.project ?? env.GOOGLE_PROJECT, region, zone };
    const has = [...kindOf({ type }).id.matchAll(/\{(project|region|zone)\}/g)].map(([, key]) => key ?? "");
    const missing = has.find((key) => typeof all[key] !== "string");
    if (missing !== undefined) throw new Error(`${missing}: required field is not set`);
    return Object.fromEntries(has.map((key) => [key, all[key]]));
  };

  return {
    version: "9.37.0",

    configure(args) {
      config = args;
    },

    check({ type }, inputs) {
      const missing = kindOf({ type }).named.filter((property) => valuesAt(inputs, property).length === 0);
      return missing.map((property) => ({ property, reason: `${property} is not set; a random one would be made up` }));
    },

    diff: ({ type }, olds, news) => diffOf(type, kindOf({ type }), olds, news),

    preview: (_resource, inputs, olds) => ({ ...olds, ...inputs }),

    async create({ type }, inputs): Promise<Made> {
      const place = placeOf(type, inputs);
      const draft = { type, id: idOf(kindOf({ type }), inputs, place), inputs };
      if (project.find(draft.id) !== undefined) throw alreadyExists(draft.id);
      checkReferences({ ...draft, outputs: {} }, project);
      await aWhile(operationMs);
      const thing: Thing = { ...draft, outputs: firstOutputs(draft, place, project, backing.externalRange()) };
      thing.outputs = currentOutputs(thing);
      if (!project.add(thing)) throw alreadyExists(thing.id);
      try {
        await backing.made(thing);
      } catch (error) {
        project.remove(thing.id);
        throw error;
      }
      project.put(thing);
      return { id: thing.id, outputs: thing.outputs };
    },

    async read({ type }, id) {
      const found = project.find(id);
      if (found === undefined || found.type !== type) return undefined;
      return { id, ...seen(await backing.look(found)) };
    },

    async update(_resource, id, state, inputs) {
      const before = project.find(id);
      if (before === undefined) throw new GoogleError(404, `The resource '${id}' was not found`, "notFound");
      refuseStop(before, inputs);
      const thing: Thing = { ...before, inputs };
      checkReferences(thing, project);
      thing.outputs = currentOutputs(thing);
      await backing.changed(thing, before, inputs.desiredStatus === "RUNNING" && state.desiredStatus === "TERMINATED");
      project.put(thing);
      return thing.outputs;
    },

    async delete(_resource: Resource, id) {
      const found = project.find(id);
      if (found === undefined) return;
      if (found.inputs.deletionProtection === true) throw new GoogleError(412, `Invalid resource usage: 'Resource cannot be deleted if it's protected against deletion. Resource: '${id}'.'`, "conditionNotMet"); // prettier-ignore
      refuseDeletionInUse(found, project);
      await aWhile(operationMs);
      await backing.goes(found);
      for (const { id: gone } of [...goneWith(found, project), found]) project.remove(gone);
      await backing.gone(found);
    },

    async invoke(token, args) {
      if (token.endsWith(":getDisk")) return getDisk(project, args);
      if (token.endsWith(":getInstance")) return getInstance(project, args, backing);
      if (token.endsWith(":getInstanceGuestAttributes")) return getInstanceGuestAttributes(project, args, backing);
      throw new Error(`this Google has no function ${token}`);
    },
  };
}

/** A VM that somebody stopped is not what was asked for; only a refresh finds out. */
function seen({ type, inputs, outputs }: Thing): { inputs: Properties; outputs: Properties } {
  if (type !== types.instance || inputs.desiredStatus === undefined) return { inputs, outputs };
  const desiredStatus = outputs.currentStatus;
  return { inputs: { ...inputs, desiredStatus }, outputs: { ...outputs, desiredStatus } };
}

/**
 * Nothing at Google is made or gone at once. So what is made or deleted beside the thing that it needs, because a program
 * hides that it needs it, fails here every time, as it would there.
 */
function aWhile(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function refuseStop({ type, inputs: olds, outputs }: Thing, news: Properties): void {
  if (type !== types.instance || news.allowStoppingForUpdate === true || outputs.currentStatus !== "RUNNING") return;
  if (stops(olds, news)) {
    throw new Error(
      "Changing the machine_type, min_cpu_platform, service_account, enable_display, shielded_instance_config, " +
        "scheduling.node_affinities or network_interface.[#d].(network/subnetwork/subnetwork_project) or " +
        "advanced_machine_features on a started instance requires stopping it. To acknowledge this, please set " +
        "allow_stopping_for_update = true in your config.",
    );
  }
}

function alreadyExists(id: string): GoogleError {
  return new GoogleError(409, `The resource '${id}' already exists`, "alreadyExists");
}
