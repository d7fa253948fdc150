import { connect } from "node:net";
import type { ServerAddress } from "../fleet/inventory";
import type { Attempt } from "./attempt";

const TIMEOUT_MS = 3000;
/** What a server runs, or a careless hand might open: names, Docker, the fleet's service, Incus. */
const PORTS = [53, 2375, 2376, 8022, 8443];
/** From the servers' own network it is meant to answer: balancers ask there. */
const FLEET_PORT = 8022;

/**
 * Tries a few ports of one server from this machine; only its SSH may answer.
 *
 * @param fleetSubnet the servers' own network, when it has one
 */
export async function tryFromOutside(server: ServerAddress, fleetSubnet: string | undefined): Promise<Attempt[]> {
  const ssh = await knock(server.address, server.port);
  const isInside = ssh.from !== undefined && fleetSubnet !== undefined && isWithin(fleetSubnet, ssh.from);
  const first = attempt(server, server.port, ssh.result, "open");
  const others = PORTS.filter((port) => port !== server.port && !(isInside && port === FLEET_PORT));
  const rest = await Promise.all(
    others.map(async (port) => attempt(server, port, (await knock(server.address, port)).result, "closed")),
  );
  return [first, ...rest];
}

function attempt({ name, address }: ServerAddress, port: number, result: string, expected: string): Attempt {
  const isOpen = result === "open";
  return {
    server: name,
    attempt: `from this machine: ${address} port ${port}`,
    expected,
    result,
    ok: (expected === "open") === isOpen,
  };
}

/** What a TCP connection comes to, and the address that this machine had in it. */
function knock(host: string, port: number): Promise<{ result: string; from?: string }> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: TIMEOUT_MS });
    const end = (result: string, from?: string): void => {
      socket.destroy();
      resolve({ result, from });
    };
    socket.once("connect", () => end("open", socket.localAddress));
    socket.once("timeout", () => end("no answer"));
    socket.once("error", ({ code }: NodeJS.ErrnoException) => {
      end(code === "ECONNREFUSED" ? "connection refused" : (code ?? "an error"));
    });
  });
}

/** Whether an IPv4 address is in a range such as `10.88.0.0/24`. Pure. */
export function isWithin(range: string, address: string): boolean {
  const [base = "", length = "32"] = range.split("/");
  const size = 2 ** (32 - Number(length));
  return Math.floor(numberOf(base) / size) === Math.floor(numberOf(address.replace(/^::ffff:/, "")) / size);
}

function numberOf(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}
