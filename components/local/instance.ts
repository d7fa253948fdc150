import * as net from "node:net";

import { waitFor } from "../../ops/wait";
import { incus, queryIncus } from "./host-incus";
import { refuseForeign } from "./owner";

/** An instance of this host's Incus, as far as the local target looks at it. */
export interface HostInstance {
  status: string;
  config: Record<string, string>;
  devices: Record<string, Record<string, string>>;
}

export async function findInstance(instance: string): Promise<HostInstance | undefined> {
  return await queryIncus<HostInstance>(`/1.0/instances/${instance}`);
}

/** Starts it, unless it runs, and waits until its systemd takes orders. */
export async function ensureRunning(instance: string): Promise<void> {
  if ((await findInstance(instance))?.status !== "Running") await incus("start", instance);
  await waitForSystemd(instance);
}

/** Incus says `Running` as soon as there is a first process; on a busy host its bus comes a moment later. */
export async function waitForSystemd(instance: string): Promise<void> {
  const answers = async () => {
    try {
      await incus("exec", instance, "--", "systemctl", "show-environment");
      return true;
    } catch {
      return false;
    }
  };
  await waitFor(answers, { what: `systemd in ${instance}`, timeoutMs: 60_000 });
}

/** Removes it, if it is there and this owner's. An orderly stop first; what does not stop in time is stopped by force. */
export async function removeInstanceOf(instance: string, owner: string): Promise<void> {
  const found = await findInstance(instance);
  if (found === undefined) return;
  refuseForeign(`the instance ${instance}`, found, owner);
  if (found.status === "Running") await incus("stop", instance, "--timeout", "60").catch(() => undefined);
  await incus("delete", "--force", instance);
}

/** Whether something takes TCP connections there. */
export function tcpAnswers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: 2_000 });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => settle(true));
    socket.once("timeout", () => settle(false));
    socket.once("error", () => settle(false));
  });
}
