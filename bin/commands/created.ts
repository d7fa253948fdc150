import type { Container, ContainerSpec, CreateStep } from "../../ops/containers/container";
import type { Failure } from "../output/error";
import { seconds } from "../output/progress";
import type { AheadRecording } from "../stack/record-ahead";
import { nextCommand } from "../target-flags";
import type { Target } from "../target";
import type { Context } from "./command";
import { recordInStack } from "./record";

export interface Made {
  spec: ContainerSpec;
  container: Container;
  timing: Timing;
  /** Where the stack was asked to get ready meanwhile. */
  ahead?: AheadRecording;
}

/** What the time went to, in milliseconds. */
export interface Timing {
  user: string;
  /** Until SSH answered. */
  milliseconds: number;
  steps: { name: CreateStep["name"] | "find"; milliseconds: number }[];
}

/** How the recording went. */
interface Recorded {
  unrecorded: Failure[];
  recording?: {
    /** From the last container's readiness to the end. */
    milliseconds: number;
    /** How long the engine, started before, had waited for the container; negative where it was the other way round. */
    engineWaitedMilliseconds?: number;
  };
}

export async function recordMade(
  made: Made[],
  { context, target, timeoutMs }: { context: Context; target: Target; timeoutMs: number },
): Promise<Recorded> {
  if (!target.stack) {
    const named = target.flags.split(" ", 2).join(" ");
    context.progress.note(`Not recorded in any stack: ${target.label} was named by${named}`);
    return { unrecorded: [] };
  }
  const began = performance.now();
  const [{ ahead } = { ahead: undefined }] = made;
  let engineWaitedMilliseconds: number | undefined;
  const containers = new Map(made.map(({ container }) => [container.user, container]));
  const recording = {
    change: { put: made.map(({ spec, container }) => ({ ...spec, server: container.server })) },
    timeoutMs,
    title: `Recorded in ${target.label}`,
    otherwise: `the container is ready but not recorded in ${target.label}`,
    leftBehind: (user: string) =>
      `${containers.get(user)?.name} on ${containers.get(user)?.server}; it works and stays`,
    again: (user: string) => nextCommand(target, `create ${user} --ssh-key FILE`),
    ...(ahead && { finish: async () => (engineWaitedMilliseconds = await ahead.finish()) }),
  };
  const unrecorded = await recordInStack(target.stack, recording, context);
  const milliseconds = Math.round(performance.now() - began);
  return { unrecorded, recording: { milliseconds, ...(engineWaitedMilliseconds !== undefined && { engineWaitedMilliseconds }) } }; // prettier-ignore
}

export function readyLine({ container, timing: { milliseconds } }: Made, target: Target): string {
  const address = target.addresses.length === 0 ? " --jump-ip ADDRESS" : "";
  const next = nextCommand(target, `export ${container.user}${address}`);
  return `${container.user} is ready (${seconds(milliseconds)}).  Send them the file from:  ${next}`;
}
