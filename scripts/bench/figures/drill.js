"use strict";

const people = Number(process.env.CONTAINARIUM_BENCH_DRILL ?? 50);

/** @type {import("../figure").Figure} */
module.exports = {
  name: "drill",
  ours: `from the end of a server without notice until ${people} people (CONTAINARIUM_BENCH_DRILL) are in again, its boot included`,
  bare: "the same containers without the boot: mount, Incus start, and its own start of what ran, until all greet",
  unit: "ms",
  goal: { ratio: 1.2 },
  runs: 1,
  notes:
    "The boot of the machine, which the baseline has not, is some seconds until SSH answers. Then Incus, its containers and the server's startup want the processors at the same time: Incus takes longer than in the baseline, although the startup, which looks at everything that a first boot would make (units, packages, firewall, image, jump accounts), gives way to it (nice 10; before, 1.7x). The startup does not wait for containers before it lets anybody in, and nobody waits for its end. Incus starts the containers by itself, in both.",
  prepare: async (site) => {
    const users = await site.makePeople(people);
    return {
      measure: async () => {
        const { drills } = JSON.parse(await site.command(["drill", "preempt", "--servers", "1", "--yes", "--json"]));
        /** @type {Record<string, number>} */
        const parts = {};
        for (const { title, milliseconds } of drills[0].steps) parts[title] = milliseconds;
        const back = drills[0].people.map(
          (/** @type {{backMilliseconds?: number}} */ one) => one.backMilliseconds ?? NaN,
        );
        parts["first of them"] = Math.min(...back);
        Object.assign(parts, (await site.bare(["boot"])).parts);
        const bare = await site.bare(["comeback"]);
        for (const [name, value] of Object.entries(bare.parts)) parts[`bare ${name}`] = value;
        await site.reconnect();
        return { ours: Math.max(...back), bare: bare.total, parts };
      },
      end: async () => {
        await site.reconnect();
        await site.deletePeople(users);
      },
    };
  },
};
