import { createServer, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { hangUp, openWebSocket, relay } from "../../../ops/incus/websocket";
import type { Transport } from "../../../ops/incus/transport";

/** One side of a migration: a server that speaks on a websocket. */
async function side(): Promise<{
  http: Server;
  heard: [string, boolean][];
  peer: Promise<WebSocket>;
  socket: WebSocket;
}> {
  const http = createServer();
  const wss = new WebSocketServer({ server: http });
  const heard: [string, boolean][] = [];
  const peer = new Promise<WebSocket>((resolve) =>
    wss.on("connection", (connection) => {
      connection.on("message", (data: Buffer, isBinary) => heard.push([data.toString("latin1"), isBinary]));
      resolve(connection);
    }),
  );
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  const transport = { openStream: async () => connect(port, "127.0.0.1") } as unknown as Transport;
  return { http, heard, peer, socket: await openWebSocket(transport, "/1.0/operations/x/websocket?secret=y") };
}

const until = async (condition: () => boolean) => {
  const deadline = Date.now() + 10_000;
  while (!condition() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
};

test("every message is passed on as it is, both ways; who hangs up takes the other along", async () => {
  const [one, other] = await Promise.all([side(), side()]);
  const [left, right] = await Promise.all([one.peer, other.peer]);
  // Said before anybody listens.
  left.send("early");
  let bytes = 0;
  relay(one.socket, other.socket, (more) => (bytes += more));
  for (let index = 0; index < 500; index++) left.send(Buffer.alloc(1000, "x"));
  left.send("");
  right.send("back");
  await until(() => other.heard.length === 502 && one.heard.length === 1);
  expect(other.heard[0]).toEqual(["early", false]);
  expect(other.heard[1]).toEqual(["x".repeat(1000), true]);
  expect(other.heard.at(-1)).toEqual(["", false]);
  expect(one.heard).toEqual([["back", false]]);
  expect(bytes).toBe(500_009);
  left.close();
  await until(() => right.readyState === WebSocket.CLOSED);
  expect(right.readyState).toBe(WebSocket.CLOSED);
  for (const { http, socket } of [one, other]) {
    hangUp(socket);
    http.close();
  }
});

test("what cannot be opened is an error of ours", async () => {
  const http = createServer((_request, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  const transport = { server: "jump-1", openStream: async () => connect(port, "127.0.0.1") } as unknown as Transport;
  await expect(openWebSocket(transport, "/x")).rejects.toMatchObject({ kind: "unreachable", server: "jump-1" });
  http.close();
});
