import { InvalidInputError } from "../errors";

const NAME = /^[a-z0-9][a-z0-9_.-]{0,62}$/i;

/** @throws InvalidInputError */
export function parseSnapshotName(text: string): string {
  if (NAME.test(text)) return text;
  throw new InvalidInputError(`${JSON.stringify(text)} is not a snapshot name`, {
    remedy: "It is 1 to 63 letters, digits, - _ and dots, the first a letter or digit; for example before-exam.",
  });
}

/** `2026-11-25-150130`, in UTC: what a snapshot is called that nobody named. */
export function nameByTime(now: Date): string {
  return now.toISOString().slice(0, 19).replace("T", "-").replaceAll(":", "");
}
