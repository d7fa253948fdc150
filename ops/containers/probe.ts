import type { Duplex } from "node:stream";
import { ForwardingForbiddenError } from "../host/connection";
import type { Server } from "../host/server";
import type { Evidence } from "./describe";

const TIMEOUT_MS = 2000;

/** Whether an SSH server greets at an address, seen from the server. One TCP connection, no login. */
export async function probeSsh(server: Pick<Server, "dial">, address: string): Promise<Evidence["ssh"]> {
  const dialled = server.dial(address, 22);
  let stream: Duplex;
  try {
    stream = await within(TIMEOUT_MS, dialled);
  } catch (error) {
    // It may still come, after the limit.
    dialled.then((late) => late.on("error", () => undefined).destroy()).catch(() => undefined);
    return error instanceof ForwardingForbiddenError ? "unknown" : "silent";
  }
  try {
    return await within(TIMEOUT_MS, greeting(stream));
  } catch {
    return "silent";
  } finally {
    stream.on("error", () => undefined).destroy();
  }
}

function greeting(stream: Duplex): Promise<"answers" | "silent"> {
  return new Promise((resolve) => {
    let text = "";
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (text.length >= 4) resolve(text.startsWith("SSH-") ? "answers" : "silent");
    });
    for (const event of ["end", "close", "error"]) stream.on(event, () => resolve("silent"));
  });
}

function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), milliseconds);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}
