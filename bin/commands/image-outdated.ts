import type { OlderContainer, ServerImage } from "../../ops/images/list";
import { whyOutdated } from "../../ops/images/outdated";
import type { OutdatedReason } from "../../ops/images/outdated";
import { parseSpan } from "../../ops/snapshots/expiry";
import { renderTable } from "../output/table";
import { nextCommand } from "../target-flags";
import type { Target } from "../target";
import { command } from "./command";
import type { Result } from "./command";
import { onServers, serverOption } from "./each-server";
import { shortFingerprint } from "./image-list";

interface OutdatedImage extends ServerImage {
  reasons: OutdatedReason[];
}

export const imageOutdated = command({
  usage: "image outdated",
  describe: "Show golden images that should be baked anew, and containers from earlier ones",
  positional: {},
  options: {
    "older-than": {
      type: "string",
      requiresArg: true,
      default: "30d",
      describe: "age from which an image counts as old: 12h, 30d, 4w",
    },
    server: serverOption,
  },
  examples: [
    ["$0 image outdated", "those of more than 30 days ago, or of earlier startup files"],
    ["$0 image outdated --older-than 1w --json | jq -e '.images == []'", "for scripts: it fails where one is old"],
  ],
  async run(args, context): Promise<Result> {
    const { io, progress, services } = context;
    const bakedAfter = new Date(Date.now() - parseSpan(args["older-than"], "--older-than")).toISOString();
    const target = await context.target();
    progress.doing("Asking the servers...");
    const { done, failures } = await onServers(args.server, target, context, (one) =>
      services.listImages(one, { signal: io.signal }),
    );
    progress.clear();
    const images = done
      .flatMap((one) => one.images)
      .map((image): OutdatedImage => ({ ...image, reasons: whyOutdated(image, bakedAfter) }))
      .filter(({ reasons }) => reasons.length > 0);
    const containers = done.flatMap(({ olderContainers }) => olderContainers);
    if (done.length > 0 && images.length + containers.length === 0) progress.note("Nothing is outdated.");
    return {
      json: { images, containers },
      text: [renderOutdated(images, target), renderContainers(containers)].filter(Boolean).join("\n\n"),
      failures,
      succeeded: done.length,
    };
  },
});

const words: Record<OutdatedReason, string> = { age: "old packages", version: "other startup files" };

function renderOutdated(images: OutdatedImage[], target: Target): string {
  if (images.length === 0) return "";
  const rows = images.map(({ server, name, bakedAt, reasons }) => [
    server,
    name,
    bakedAt || "-",
    reasons.map((reason) => words[reason]).join(", "),
  ]);
  return `${renderTable(["SERVER", "IMAGE", "BAKED", "WHY"], rows)}\n\nTo bake them anew:  ${nextCommand(target, "image bake")}`;
}

function renderContainers(containers: OlderContainer[]): string {
  if (containers.length === 0) return "";
  const rows = containers.map(({ user, server, image, copiedFrom, present }) => [
    user,
    server,
    image,
    shortFingerprint(copiedFrom),
    shortFingerprint(present),
  ]);
  return `${renderTable(["USER", "SERVER", "IMAGE", "COPIED FROM", "PRESENT"], rows)}\n\nThey stay as they are: people update their own packages.`;
}
