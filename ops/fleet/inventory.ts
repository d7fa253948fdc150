import { z } from "zod";

/**
 * What the stack's output `inventory` says: all that somebody needs to reach the servers of a fleet, and to trust them.
 * It is a contract (CHANGELOG): the CLI reads it with `pulumi stack output inventory`, other programs may too.
 */
export const serverAddressSchema = z.object({
  /** Name of the server, for example `jump-1`. Also the HostKeyAlias in exported SSH configs. */
  name: z.string().min(1),
  /** Address or host name at which sshd answers. */
  address: z.string().min(1),
  port: z.number().int().min(1).max(65535).default(22),
  /** The administrator's account on the server. */
  adminUser: z.string().min(1),
  /** Pinned host keys, `type base64`, as in a known_hosts line. Never empty: nothing is trusted on first use. */
  hostKeys: z.array(z.string()).min(1),
  /** Private key to log in with; relative to the Pulumi project's folder. Default: the SSH agent, then ~/.ssh/id_*. */
  identityFile: z.string().optional(),
});

export const inventorySchema = z.object({
  schema: z.literal(1),
  stack: z.string(),
  servers: z.array(
    serverAddressSchema.extend({
      /** Subnet of the containers on this server, for example `10.0.3.0/24`. */
      containerSubnet: z.string(),
    }),
  ),
  /** One address before all servers, each of which lets everybody through. Exported SSH configs then use it. */
  balancer: z.object({ address: z.string().min(1), port: z.number().int().min(1).max(65535).default(22) }).optional(),
  /** What `create` uses when nothing else is said. Sizes are strings such as `4GiB`, `20GB`. */
  defaults: z.object({ image: z.string(), cpu: z.number(), memory: z.string(), diskQuota: z.string() }),
});

export type ServerAddress = z.infer<typeof serverAddressSchema>;
export type Inventory = z.infer<typeof inventorySchema>;
export type Balancer = NonNullable<Inventory["balancer"]>;
export type InventoryServer = Inventory["servers"][number];
