import type { ServerImage } from "../../ops/images/list";
import { renderTable } from "../output/table";
import { command } from "./command";
import type { Result } from "./command";
import { onServers, serverOption } from "./each-server";

export const imageList = command({
  usage: "image list",
  describe: "Show the servers' golden images",
  positional: {},
  options: { server: serverOption },
  examples: [["$0 image list", "of every server"]],
  async run({ server }, context): Promise<Result> {
    const { io, progress, services } = context;
    const target = await context.target();
    progress.doing("Asking the servers...");
    const { done, failures } = await onServers(server, target, context, (one) =>
      services.listImages(one, { signal: io.signal }),
    );
    progress.clear();
    const images = done.flatMap((one) => one.images);
    return { json: { images }, text: renderImages(images), failures, succeeded: done.length };
  },
});

export function renderImages(images: readonly ServerImage[]): string {
  if (images.length === 0) return "";
  return renderTable(
    ["SERVER", "IMAGE", "FINGERPRINT", "BAKED", "SETUP", "SIZE", "CONTAINERS"],
    images.map((image) => [
      image.server,
      image.name,
      shortFingerprint(image.fingerprint),
      image.bakedAt || "-",
      image.isCurrentVersion ? "present" : "older",
      `${Math.round(image.bytes / 1e6)}MB`,
      String(image.containers),
    ]),
  );
}

/** As `incus image list` shows it. */
export function shortFingerprint(fingerprint: string): string {
  return fingerprint.slice(0, 12) || "-";
}
