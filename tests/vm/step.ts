import { processorSeconds } from "./vm";

let failed: string | undefined;

/**
 * A test that needs what the ones before it left: after a failure the rest is not tried, as each would wait for minutes
 * for what cannot come. Says on stderr how far the story is: Jest itself speaks only at the end.
 */
export function step(title: string, run: () => Promise<void>): void {
  test(title, async () => {
    if (failed !== undefined) throw new Error(`not tried, because this failed: ${failed}`);
    const [begin, before] = [Date.now(), processorSeconds()];
    const say = (sign: string) => {
      const [took, emulated] = [(Date.now() - begin) / 1000, processorSeconds() - before];
      process.stderr.write(`${sign} ${title} ${Math.round(took)}s (processor: ${Math.round(emulated)}s)\n`);
    };
    try {
      await run();
      say("✓");
    } catch (error) {
      failed = title;
      say("✗");
      throw error;
    }
  });
}
