"use strict";

const people = Number(process.env.CONTAINARIUM_BENCH_DRILL ?? 6);

/** @type {import("../figure").Figure} */
module.exports = {
  name: "drill",
  ours: `from the end of a server without notice until ${people} people (CONTAINARIUM_BENCH_DRILL) are in again, boot included`,
  bare: "Incus start and container starts alone, until all greet",
  unit: "ms",
  goal: { ratio: 1.2 },
  runs: 2,
  prepare: async (site) => {
    const users = Array.from({ length: people }, () => site.nextUser());
    for (const user of users) await site.ops.createContainer(site.server, site.person(user));
    return {
      measure: async () => {
        const { drills } = JSON.parse(await site.command(["drill", "preempt", "--servers", "1", "--yes", "--json"]));
        /** @type {Record<string, number>} */
        const parts = {};
        for (const { title, milliseconds } of drills[0].steps) parts[title] = milliseconds;
        const back = drills[0].people.map(
          (/** @type {{backMilliseconds?: number}} */ one) => one.backMilliseconds ?? NaN,
        );
        await site.reconnect();
        return { ours: Math.max(...back), bare: (await site.bare(["comeback"])).total, parts };
      },
      end: async () => {
        for (const user of users) await site.ops.deleteContainer(site.server, user);
      },
    };
  },
};
