import { chooseImage } from "../../../ops/containers/image";
import { goldenImage } from "../../fakes/fake-incus-replies";

const old = goldenImage("debian/12", "2026-10-01T00:00:00Z");
const young = goldenImage("ubuntu/24.04", "2026-11-01T00:00:00Z");
const usual = goldenImage("debian/13", "2026-09-01T00:00:00Z");
const foreign = { ...goldenImage("x", ""), aliases: [{ name: "alpine", description: "" }] };

it.each([
  [[old, usual, young], undefined, "debian/13"],
  [[old, young, foreign], undefined, "ubuntu/24.04"],
  [[old, usual, young], "debian/12", "debian/12"],
])("chooses among %#", (images, wanted, name) => {
  expect(chooseImage(images, wanted, "jump-1").name).toBe(name);
});

it("says what there is when the wanted one is not", () => {
  expect(() => chooseImage([old, young], "plan9", "jump-1")).toThrow(
    expect.objectContaining({ kind: "invalid", remedy: "It has: debian/12, ubuntu/24.04" }),
  );
});

it("says that none was baked yet", () => {
  expect(() => chooseImage([foreign], undefined, "jump-1")).toThrow(expect.objectContaining({ kind: "not-found" }));
});
