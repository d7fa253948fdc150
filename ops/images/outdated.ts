import type { ServerImage } from "./list";

/** `age`: its packages are old; `version`: the startup files that it was baked with have changed since. */
export type OutdatedReason = "age" | "version";

/** PURE: why an image should be baked anew; nothing when it need not. One that does not say when it was baked is old. */
export function whyOutdated(
  { bakedAt, isCurrentVersion }: Pick<ServerImage, "bakedAt" | "isCurrentVersion">,
  bakedAfter: string,
): OutdatedReason[] {
  const isYoung = Date.parse(bakedAt) >= Date.parse(bakedAfter);
  return [...(isYoung ? [] : (["age"] as const)), ...(isCurrentVersion ? [] : (["version"] as const))];
}
