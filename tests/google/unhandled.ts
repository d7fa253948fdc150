import { runInThisContext } from "node:vm";

/**
 * While `work` runs, promises that are rejected and that nobody waits for go to `hear` instead of failing the test. A
 * Pulumi program is full of them: whoever wrote `output.apply(...)` keeps no promise, and the engine's side of a program
 * listens in just this way.
 */
export async function hearingUnhandled<T>(hear: (error: unknown) => void, work: () => Promise<T>): Promise<T> {
  // Jest gives tests a process object of their own; rejections are told to the real one.
  const real = runInThisContext("process") as NodeJS.Process;
  const others = real.listeners("unhandledRejection");
  real.removeAllListeners("unhandledRejection");
  real.on("unhandledRejection", hear);
  try {
    return await work();
  } finally {
    // One error rejects many promises, and they are told when the turn is over.
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    real.removeListener("unhandledRejection", hear);
    for (const other of others) real.on("unhandledRejection", other);
  }
}
