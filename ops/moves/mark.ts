import { z } from "zod";

/** What a container on its way to another server remembers, so that any later run can complete it. */
const markSchema = z.object({
  /** Name of the server that it goes to. */
  to: z.string(),
  /** Which run of `move` is at work; the last one to write it wins. */
  run: z.string(),
  /** Whether it is to run there: it did when its move began. */
  wasRunning: z.boolean(),
  /** Whether it is to start with its server. */
  autostart: z.boolean(),
});

export type MoveMark = z.infer<typeof markSchema>;

export function renderMark(mark: MoveMark): string {
  return JSON.stringify(mark);
}

/** Undefined when there is none, or none that is ours. */
export function parseMark(text: string | undefined): MoveMark | undefined {
  try {
    return markSchema.safeParse(JSON.parse(text ?? "null")).data;
  } catch {
    return undefined;
  }
}
