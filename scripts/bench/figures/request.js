"use strict";

const { spawn } = require("node:child_process");
const { once } = require("node:events");

const { timed } = require("../figure");
const { quantile } = require("../statistics");

const times = 50;

/** @type {import("../figure").Figure} */
module.exports = {
  name: "request",
  ours: `one warm GET /1.0 over SSH, the median of ${times}`,
  bare: "the same on the server itself, over one connection to the socket",
  unit: "ms",
  goal: { ratio: 1.5 },
  runs: 8,
  notes:
    "The baseline asks by Python's http.client. `our client on the socket`: the same request by the same client, past SSH, on the server's socket itself, and takes about twice as long as Python: Node's event loop, HTTP and JSON (Node's own http takes as long, undici alone a seventh less). `a line by OpenSSH and back`: what goes to `cat` on the server and comes back. What is left is SSH in JavaScript at our end, and `nc` between sshd and Incus' socket. So SSH itself keeps the goal, and the language does not.",
  prepare: async (site) => {
    const [program = "", ...args] = [...site.openSsh(), "cat"];
    const echo = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
    const line = `${"x".repeat(120)}\n`;
    const goAndReturn = async () => {
      echo.stdin.write(line);
      await once(echo.stdout, "data");
    };
    await goAndReturn();
    /** @param {() => Promise<unknown>} work */
    const typical = async (work) => {
      const all = [];
      while (all.length < times) all.push(await timed(work));
      return quantile(all, 0.5);
    };
    const onSocket = await site.clientOnSocket();
    return {
      measure: async () => ({
        ours: await typical(() => site.server.incus.server()),
        bare: (await site.bare(["requests", String(times)])).total,
        parts: {
          "our client on the socket": await typical(() => onSocket.server()),
          "a line by OpenSSH and back": await typical(goAndReturn),
        },
      }),
      end: async () => {
        echo.kill();
        await onSocket.close();
      },
    };
  },
};
