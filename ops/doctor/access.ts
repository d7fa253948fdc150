import { ContainariumError, NotFoundError } from "../errors";
import type { ServerAddress } from "../fleet/inventory";
import { parseUserName } from "../containers/user-name";
import { throwIfInterrupted } from "../wait";
import type { Attempt } from "./attempt";
import type { Patients } from "./examine";
import { tryFromOutside } from "./outside";

export interface AccessReport {
  attempts: Attempt[];
  /** Servers that could not be tried, and why. */
  failures: Map<string, Error>;
}

const TIMEOUT_MS = 180_000;

/**
 * Tries, as a person's jump account, on every server, everything that must be refused, and their own way, which must be
 * open; and from this machine a few ports of each server.
 *
 * @param addresses where this machine reaches the servers; those without are not tried from outside
 * @throws NotFoundError when all servers were asked and none has this user's account
 */
export async function verifyAccess(
  patients: Patients,
  user: string,
  { addresses, signal }: { addresses: readonly ServerAddress[]; signal?: AbortSignal },
): Promise<AccessReport> {
  parseUserName(user);
  const failures = new Map<string, Error>();
  const tries = await Promise.all(
    patients.names.map(async (name): Promise<Attempt[]> => {
      try {
        const server = await patients.open(name);
        const { attempts, fleetSubnet } = await server.helper(
          { op: "access.verify", user },
          { timeoutMs: TIMEOUT_MS, signal },
        );
        const address = addresses.find((one) => one.name === name);
        const outside = address === undefined ? [] : await tryFromOutside(address, fleetSubnet);
        return [...attempts.map((one) => ({ server: name, ...one })), ...outside];
      } catch (error) {
        failures.set(name, error as Error);
        return [];
      }
    }),
  );
  throwIfInterrupted(signal);
  const isUnknown = (error: Error) => error instanceof ContainariumError && error.kind === "not-found";
  if (failures.size === patients.names.length && [...failures.values()].every(isUnknown)) {
    throw new NotFoundError(`no jump account for ${user}`, { remedy: "containarium-ops list" });
  }
  return { attempts: tries.flat(), failures };
}
