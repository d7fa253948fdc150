import { waitFor } from "../../ops";

it("looks until there is something", async () => {
  let looks = 0;
  expect(
    await waitFor(() => (++looks === 3 ? "there" : undefined), { timeoutMs: 1000, intervalMs: 1, what: "it" }),
  ).toBe("there");
});

it("ends with what it waited for when the limit passed", async () => {
  const began = Date.now();
  const wait = waitFor(() => false, { timeoutMs: 100, what: "a bus", server: "jump-1", remedy: "Walk." });
  await expect(wait).rejects.toMatchObject({
    kind: "timeout",
    message: "waited 0.1s for a bus",
    server: "jump-1",
    remedy: "Walk.",
  });
  expect(Date.now() - began).toBeLessThan(2000);
});

it("does not swallow an error of the condition", async () => {
  await expect(waitFor(() => Promise.reject(new Error("broken")), { timeoutMs: 1000, what: "it" })).rejects.toThrow(
    "broken",
  );
});

it("stops at once when the caller gives up", async () => {
  const wait = waitFor(() => false, {
    timeoutMs: 60_000,
    intervalMs: 30_000,
    what: "it",
    signal: AbortSignal.timeout(20),
  });
  await expect(wait).rejects.toMatchObject({ kind: "interrupted" });
});
