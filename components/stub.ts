import type * as pulumi from "@pulumi/pulumi";

/**
 * What Pulumi stores of a dynamic resource is the code of its provider. So there is none in it: every method asks for
 * `containarium/provider` when it is called, from the program's own folder, and old state never runs old code.
 *
 * Written out method by method because Pulumi serialises what a function captures, and this captures nothing but
 * `kind`. A plain `require` would fail in the engine's provider process: its parent module has no file name.
 */
export function stub(kind: Kind): pulumi.dynamic.ResourceProvider {
  const known = stubs.get(kind) ?? makeStub(kind);
  stubs.set(kind, known);
  return known;
}

type Kind = "container" | "dataDiskRecord" | "localBalancer" | "localHost" | "localMachine" | "serverIdentity";

/** Pulumi serialises each provider object once, which takes some 30 ms: all resources of a kind share theirs. */
const stubs = new Map<Kind, pulumi.dynamic.ResourceProvider>();

function makeStub(kind: Kind): pulumi.dynamic.ResourceProvider {
  const provider = () => require("module").createRequire(process.cwd() + "/")("containarium/provider")[kind];
  return {
    check: async (olds, news) => provider().check(olds, news),
    diff: async (id, olds, news) => provider().diff(id, olds, news),
    create: async (inputs) => provider().create(inputs),
    read: async (id, props) => provider().read(id, props),
    update: async (id, olds, news) => provider().update(id, olds, news),
    delete: async (id, props) => provider().delete(id, props),
  };
}
