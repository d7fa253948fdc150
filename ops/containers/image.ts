import { InvalidInputError, NotFoundError } from "../errors";
import type { Image } from "../incus/types";

/** Golden images have an alias that begins so; the rest is the name that people use, for example `debian/13`. */
const PREFIX = "containarium/";
const DEFAULT_NAME = "debian/13";

export interface GoldenImage {
  name: string;
  fingerprint: string;
  /** Day on which it was baked, `2026-11-20`; empty when it does not say. */
  bakedAt: string;
}

/**
 * Chooses among a server's images: the wanted one, or without a wish `debian/13`, or else the one baked last.
 *
 * @throws InvalidInputError when there is no such image; NotFoundError when the server has none at all
 */
export function chooseImage(images: readonly Image[], wanted: string | undefined, server: string): GoldenImage {
  const golden = images.flatMap(toGolden);
  if (golden.length === 0) {
    throw new NotFoundError(`${server} has no golden image yet`, {
      server,
      remedy: "It is baked while the server starts. Look at it there:\n  sudo systemctl status containarium-startup",
    });
  }
  const named = golden.find(({ name }) => name === (wanted ?? DEFAULT_NAME));
  if (named !== undefined) return named;
  if (wanted !== undefined) {
    throw new InvalidInputError(`${server} has no image ${wanted}`, {
      server,
      remedy: `It has: ${golden.map(({ name }) => name).join(", ")}`,
    });
  }
  return golden.sort((a, b) => b.bakedAt.localeCompare(a.bakedAt))[0]!;
}

function toGolden(image: Image): GoldenImage[] {
  const bakedAt = (image.properties["containarium.baked-at"] ?? "").slice(0, 10);
  return goldenNames(image).map((name) => ({ name, fingerprint: image.fingerprint, bakedAt }));
}

/** Under which names people's containers are made from it: `debian/13`. None: it is not a golden image. */
export function goldenNames({ aliases }: Pick<Image, "aliases">): string[] {
  return aliases
    .filter(({ name }) => name.startsWith(PREFIX) && !name.startsWith(`${PREFIX}machine`))
    .map(({ name }) => name.slice(PREFIX.length));
}

/** Its name in Incus. */
export function goldenAlias(name: string): string {
  return `${PREFIX}${name}`;
}
