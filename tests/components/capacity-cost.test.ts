import { addressesPerServer, fleetCapacity, peoplePerServer } from "../../components/capacity";
import { type CostQuestion, monthlyCost } from "../../components/cost";
import { staticZone } from "../../ops/containers/address";

test.each([
  ["e2-standard-2", { busy: 10, typical: 12, quiet: 15 }],
  ["n2-standard-4", { busy: 20, typical: 25, quiet: 30 }],
  ["n2-standard-8", { busy: 40, typical: 50, quiet: 60 }],
])("%s carries what the original's did", (machineType, people) => {
  expect(peoplePerServer(machineType)).toEqual(people);
});

test("no server carries more people than it has addresses; unknown types are not guessed", () => {
  expect(addressesPerServer).toBe(staticZone("10.0.3.1/24").length);
  expect(peoplePerServer("n2-highmem-16")?.quiet).toBe(addressesPerServer);
  expect(peoplePerServer("z9-standard-8")).toBeUndefined();
  expect(fleetCapacity("n2-standard-8", [1, 2, 4]).people?.typical).toBe(150);
});

const question: CostQuestion = {
  region: "us-central1",
  machineType: "n2-standard-8",
  spot: true,
  servers: 1,
  bootDisk: { type: "pd-balanced", sizeGb: 100 },
  dataDisks: { type: "pd-balanced", sizesGb: [100] },
  loadBalancer: false,
};

test("the single Spot server of the original costs 158 dollars, not 98; every part has a source", () => {
  const { total, parts } = monthlyCost(question);
  expect(total).toBe(158.25);
  expect(parts.map(({ usd }) => usd)).toEqual([134.5, 10, 10, 3.65, 0.1]);
  for (const { source } of parts) expect(source).not.toBe("");
  expect(parts[0]?.asOf).toBe("2026-07-30");
});

test("three servers and a balancer", () => {
  const three = { ...question, servers: 3, dataDisks: { ...question.dataDisks, sizesGb: [100, 100, 100] } };
  expect(monthlyCost({ ...three, loadBalancer: true }).total).toBe(493);
});

test("a price that the table lacks is named, and there is no total", () => {
  const { total, notIncluded } = monthlyCost({ ...question, machineType: "n2-standard-16" });
  expect(total).toBeNull();
  expect(notIncluded[0]).toBe("n2-standard-16, spot, in us-central1: no price in the table");
});
