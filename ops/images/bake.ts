import { ContainariumError, NotFoundError, OperationError } from "../errors";
import type { Server } from "../host/server";
import { waitFor } from "../wait";
import { listImages, type ServerImage } from "./list";

export interface BakeOptions {
  /** Name; default: what the server bakes. */
  image?: string;
  /** Told of each step when it begins. */
  onStep?: (title: string) => void;
  signal?: AbortSignal;
}

/** A slow mirror and an emulated server; a bake takes a minute or two. */
const LONGEST_MS = 45 * 60_000;

/**
 * Bakes a server's golden image anew, with the packages of today. It is tried before it gets its name; people's
 * containers stay as they are. The server goes on by itself when the connection breaks, and the next call joins it.
 *
 * @throws NotFoundError for an image that this server does not bake
 */
export async function bakeImage(server: Server, { image, onStep, signal }: BakeOptions = {}): Promise<ServerImage> {
  const { image: own } = await server.helper({ op: "image.status" }, { signal });
  if (image !== undefined && image !== own) {
    throw new NotFoundError(`${server.name} bakes no image ${image}`, {
      server: server.name,
      remedy: `Nothing was changed. It bakes ${own}.`,
    });
  }
  await server.helper({ op: "image.bake", image: own }, { signal });
  await end(server, onStep, signal).catch((error: unknown) => {
    if (error instanceof ContainariumError && ["interrupted", "timeout", "unreachable"].includes(error.kind)) {
      throw new ContainariumError(error.kind, error.message, {
        server: server.name,
        leftBehind: `${server.name} goes on baking; until it is done, new containers come from the image of before`,
        remedy: "The same command joins it:\n  containarium-ops image bake",
        cause: error,
      });
    }
    throw error;
  });
  const { images } = await listImages(server, { signal });
  const baked = images.find(({ name }) => name === own);
  if (baked === undefined) throw new OperationError(`${own} is gone after it was baked`, { server: server.name });
  return baked;
}

async function end(server: Server, onStep: BakeOptions["onStep"], signal?: AbortSignal): Promise<void> {
  let told = 0;
  await waitFor(
    async () => {
      const { bake } = await server.helper({ op: "image.status" }, { signal });
      for (; told < bake.steps.length; told++) onStep?.(bake.steps[told]!);
      if (bake.state === "running") return false;
      if (bake.state === "done") return true;
      throw new OperationError(`the image was not baked: ${bake.message ?? "the server was restarted"}`, {
        server: server.name,
        leftBehind: "nothing; new containers come from the image of before",
        remedy: "Its log is there:\n  sudo cat /run/containarium/bake.log",
      });
    },
    { timeoutMs: LONGEST_MS, what: `${server.name} to bake`, server: server.name, intervalMs: 300, signal },
  );
}
