import { until } from "../until";
import { step } from "./step";
import type { Login, TestServer } from "./test-server";

const note = (login: Login) => `what ${login} wrote`;

export function people(server: TestServer): void {
  step(`${server.users.join(" and ")}: a container each, and SSH answers each of their keys`, async () => {
    const size = ["--cpu", "2", "--memory", "1GiB", "--disk-quota", "2GiB", ...(server.short ? ["--no-docker"] : [])];
    for (const user of server.users) {
      const keys = server.logins.filter((login) => login.split("-")[0] === user);
      await server.ops("create", user, ...keys.flatMap((key) => ["--ssh-key", `${key}.pub`]), ...size);
    }
    for (const login of server.logins) {
      const [user = ""] = login.split("-");
      await server.ops("export", user, "--key", login, "--output", `${login}.conf`);
      const written = await server.ssh(`echo '${note(login)}' > ${login} && sync && whoami`, login);
      expect(written).toMatchObject({ code: 0, stdout: `${user}\n` });
    }
    server.people = await listed(server);
    expect(server.people).toHaveLength(server.users.length);
  });
}

export function clones(server: TestServer): void {
  step("their containers are copy-on-write clones of the golden image", async () => {
    const disks = server.users.map((user) => `containarium/containers/containers/${user}-container`);
    expect(await server.succeed(`zfs get -H -o value origin ${disks.join(" ")} | uniq`)).toMatch(
      /^containarium\/containers\/images\/[0-9a-f]{64}@readonly$/,
    );
  });
}

/**
 * With every key, through both hops, each pinned when the people were made; same accounts, addresses, sizes, host keys;
 * their data.
 */
export async function expectEverybodyBack(server: TestServer): Promise<void> {
  for (const login of server.logins) {
    // Ready means that the containers run; in an emulated one SSH may need a minute more.
    await until(async () => (await server.ssh("true", login)).code === 0, 400, `${login}'s login`);
    const { code, stdout, stderr } = await server.ssh(`cat ${login}`, login);
    expect({ login, code, stdout, stderr: code === 0 ? "" : stderr }).toEqual({
      login,
      code: 0,
      stdout: `${note(login)}\n`,
      stderr: "",
    });
  }
  expect(await listed(server)).toEqual(server.people);
}

/** Everything that `list` says of them. */
async function listed(server: TestServer): Promise<unknown[]> {
  const { containers } = JSON.parse((await server.ops("list", "--json")).stdout) as { containers: unknown[] };
  return containers;
}
