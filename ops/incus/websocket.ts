import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { TimeoutError } from "../errors";
import { IncusUnavailableError } from "./incus-error";
import type { Transport } from "./transport";

const OPEN_TIMEOUT_MS = 30_000;
/** Incus sends pieces of some kilobytes. */
const LARGEST_MESSAGE = 16 * 2 ** 20;
/** So long the other side has to say goodbye too. */
const GOODBYE_MS = 2000;

/**
 * Opens a websocket of an operation, over a stream of its own. It is paused: resume it when somebody listens.
 *
 * @throws IncusUnavailableError, TimeoutError
 */
export async function openWebSocket(transport: Transport, path: string): Promise<WebSocket> {
  const stream = await transport.openStream();
  const socket = new WebSocket(`ws://incus${path}`, {
    // Of a socket it asks only what every Duplex has.
    createConnection: () => stream as Socket,
    perMessageDeflate: false,
    maxPayload: LARGEST_MESSAGE,
  });
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.on("error", () => undefined).terminate();
      reject(error);
    };
    const timer = setTimeout(() => {
      const what = `Incus opened no websocket within ${OPEN_TIMEOUT_MS / 1000}s`;
      fail(new TimeoutError(what, { server: transport.server }));
    }, OPEN_TIMEOUT_MS);
    socket.once("error", (error) => fail(new IncusUnavailableError(transport.server, error.message, error)));
    socket.once("open", () => {
      clearTimeout(timer);
      socket.pause();
      socket.removeAllListeners("error").on("error", () => undefined);
      resolve(socket);
    });
  });
}

/** Passes every message on, both ways, as it is. Whoever sends waits for whoever reads: memory stays small. */
export function relay(one: WebSocket, other: WebSocket, onBytes: (bytes: number) => void): void {
  pass(one, other, onBytes);
  pass(other, one, onBytes);
}

function pass(from: WebSocket, to: WebSocket, onBytes: (bytes: number) => void): void {
  let onTheirWay = 0;
  from.on("message", (data: Buffer, isBinary) => {
    onTheirWay++;
    from.pause();
    to.send(data, { binary: isBinary }, (error) => {
      onTheirWay--;
      if (error) return hangUp(from);
      onBytes(data.length);
      if (onTheirWay === 0) from.resume();
    });
  });
  from.on("close", () => hangUp(to));
  from.resume();
}

/** Says goodbye; ends the connection when the other side does not. */
export function hangUp(socket: WebSocket): void {
  if (socket.readyState === WebSocket.CLOSED) return;
  // A paused socket would not hear the answer.
  socket.resume();
  socket.close();
  setTimeout(() => socket.terminate(), GOODBYE_MS).unref();
}
