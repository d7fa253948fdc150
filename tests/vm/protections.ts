import { step } from "./step";
import type { TestServer } from "./test-server";

/** What this many containers need (startup/kernel-limits has the rest); a kernel comes with far less. */
const least = { "fs.inotify.max_user_instances": 150 * 12, "kernel.keys.maxkeys": 20_000, "net.ipv4.neigh.default.gc_thresh3": 8192 }; // prettier-ignore

export function protections(server: TestServer): void {
  step("the kernel has room for 150 containers, which it does not have by itself", async () => {
    const names = Object.keys(least);
    const values = (await server.succeed(`sysctl -n ${names.join(" ")}`)).split("\n").map(Number);
    Object.values(least).forEach((limit, index) => {
      expect({ [names[index] ?? ""]: (values[index] ?? 0) >= limit }).toEqual({ [names[index] ?? ""]: true });
    });
  });

  step("from inside a container, as root: no metadata, no port of the server, no other container", async () => {
    const bob = (server.people as { user: string; ip: string }[]).find(({ user }) => user === "bob")?.ip;
    const places = ["169.254.169.254/80", "10.0.3.1/22", "10.0.3.1/8022", "10.64.0.11/22", `${bob}/22`];
    const reach = (place: string) => `timeout 3 bash -c '</dev/tcp/${place}' 2>/dev/null && echo ${place}`;
    const tried = await server.ssh(`sudo -n bash -c "true; ${places.map(reach).join("; ")}; ${reach("10.0.3.1/53")}"`);
    // Names it may ask for: so it was the firewall that was in the way of the others.
    expect(tried.stdout).toBe("10.0.3.1/53\n");
  });
}
