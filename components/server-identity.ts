import * as gcp from "@pulumi/gcp/compute";
import * as pulumi from "@pulumi/pulumi";

import { TimeoutError } from "../ops/errors";
import { waitFor } from "../ops/wait";
import { stub } from "./stub";

export interface ServerIdentityArgs {
  /** Name of the server, `jump-1`. */
  server: pulumi.Input<string>;
  /** Name of its data disk, on which the identity lies: with another disk, another key is in order. */
  disk: pulumi.Input<string>;
  /** `type base64` as the server reported it now; empty when it says nothing (it is stopped, say). */
  reportedHostKey: pulumi.Input<string>;
}

/**
 * The host key that a server is known by, for life. It comes over Google's control plane, so nothing is trusted on first
 * use; a server that is down keeps the one it had; a server that comes up with another one stops `pulumi up`.
 */
export class ServerIdentity extends pulumi.dynamic.Resource {
  declare readonly hostKeys: pulumi.Output<string[]>;

  constructor(name: string, args: ServerIdentityArgs, options?: pulumi.CustomResourceOptions) {
    super(stub("serverIdentity"), name, { ...args, hostKeys: undefined }, options, "containarium", "ServerIdentity");
  }
}

/** Namespace of the guest attributes that startup/gce/boot.sh writes. */
const namespace = "containarium/";

/** A first boot installs packages and may compile ZFS for its kernel: minutes on a small machine. */
const firstBootMs = 30 * 60_000;
const pollMs = 5_000;

/**
 * What a server says is its host key, by guest attributes: only the server itself writes them (containers and jump
 * accounts have no way to the metadata service). Waits while the server boots; in a preview it looks once.
 *
 * @returns `type base64`, or the empty text when the server is stopped or was never asked (preview)
 */
export function reportedHostKey(instance: gcp.Instance, server: string): pulumi.Output<string> {
  // The instance's id is what is not known before there is one: a preview of a new server does not ask.
  return pulumi
    .all([instance.instanceId, instance.name, instance.zone, instance.project])
    .apply(([, name, zone, project]) => waitForHostKey({ name, zone, project }, server, instance));
}

interface InstancePath {
  name: string;
  zone: string;
  project: string;
}

async function waitForHostKey(at: InstancePath, server: string, instance: gcp.Instance): Promise<string> {
  const options = { parent: instance, async: true };
  const first = await readHostKey(at, options);
  if (first !== undefined) return first;
  if (pulumi.runtime.isDryRun() || !(await isComingUp(at, options))) return "";
  void pulumi.log.info(`${server}: waiting for its first boot to end (packages, disk, Incus; some minutes)`, instance);
  return await waitFor(
    async () => {
      const key = await readHostKey(at, options);
      // Preempted before it was ready: with nobody there is nothing to wait for.
      return key ?? ((await isComingUp(at, options)) ? undefined : "");
    },
    { what: `${server}'s host key`, timeoutMs: firstBootMs, intervalMs: pollMs, maxIntervalMs: pollMs },
  ).catch((error: unknown) => {
    if (!(error instanceof TimeoutError)) throw error;
    void pulumi.log.warn(neverReady(at, server), instance);
    return "";
  });
}

function neverReady({ name, zone, project }: InstancePath, server: string): string {
  return (
    `${server} runs, but did not become ready within ${firstBootMs / 60_000} minutes. Read what it said:\n` +
    `  gcloud compute instances get-serial-port-output ${name} --zone ${zone} --project ${project}`
  );
}

async function readHostKey(at: InstancePath, options: pulumi.InvokeOptions): Promise<string | undefined> {
  try {
    const { queryValues = [] } = await gcp.getInstanceGuestAttributes({ ...at, queryPath: namespace }, options);
    const key = queryValues.find((value) => value.key === "host-key")?.value?.trim();
    return key !== undefined && /^ssh-\S+ [A-Za-z0-9+/]+=*$/.test(key) ? key : undefined;
  } catch (error) {
    const { message } = error as Error;
    if (/not ?found|404/i.test(message)) return undefined;
    // The update failed elsewhere and the engine hangs up: that failure is the news, not this one.
    if (/connection is closing|cancell?ed/i.test(message)) return "";
    throw error;
  }
}

async function isComingUp(at: InstancePath, options: pulumi.InvokeOptions): Promise<boolean> {
  const { currentStatus } = await gcp.getInstance(at, options);
  return ["PROVISIONING", "STAGING", "RUNNING", "REPAIRING"].includes(currentStatus);
}
