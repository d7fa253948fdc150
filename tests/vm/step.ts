let failed: string | undefined;

/**
 * A test that needs what the ones before it left: after a failure the rest is not tried, as each would wait for minutes
 * for what cannot come. Says on stderr how far the story is: Jest itself speaks only at the end.
 */
export function step(title: string, run: () => Promise<void>): void {
  test(title, async () => {
    if (failed !== undefined) throw new Error(`not tried, because this failed: ${failed}`);
    const begin = Date.now();
    const say = (sign: string) =>
      process.stderr.write(`${sign} ${title} ${Math.round((Date.now() - begin) / 1000)}s\n`);
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
