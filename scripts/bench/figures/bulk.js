"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { timed } = require("../figure");

const people = Number(process.env.CONTAINARIUM_BENCH_PEOPLE ?? 24);

/** @type {import("../figure").Figure} */
module.exports = {
  name: "bulk",
  ours: `\`create --from\` of ${people} people on one server (CONTAINARIUM_BENCH_PEOPLE), recorded in the stack`,
  bare: "a bare loop with four workers on the server",
  unit: "ms",
  goal: { ratio: 1.1 },
  runs: 1,
  notes:
    "Four are made at a time on each server, in the loop too. What is ours: the program's start, for everybody an account, files and the proof of the way in, which the loop has not; and at the end one run of the engine, which records all of them (`recorded`), however many they are.",
  prepare: async (site) => {
    const fingerprint = await site.goldenFingerprint();
    return {
      measure: async () => {
        const users = Array.from({ length: people }, () => site.nextUser());
        const file = path.join(site.scratch, "people.csv");
        const rows = users.map((user) => `${user},${site.keyFile(user)},512MiB,2GB,${site.address.name}`);
        fs.writeFileSync(file, ["user,key,memory,disk_quota,server", ...rows, ""].join("\n"));
        let said = "";
        const ours = await timed(async () => {
          said = await site.command(["create", "--from", file, "--json"]);
        });
        await site.command(["delete", ...users, "--force"]);
        const { total } = await site.bare([
          "bulk",
          "bench-bare-",
          String(people),
          "4",
          fingerprint,
          site.freeAddress(),
        ]);
        await site.bare(["remove", "bench-bare-"]);
        const recorded = JSON.parse(said).recording.milliseconds;
        return { ours, bare: total, parts: { "containers and start": ours - recorded, recorded } };
      },
    };
  },
};
