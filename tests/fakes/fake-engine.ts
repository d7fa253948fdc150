import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Inventory } from "../../ops";

/** A Pulumi project whose engine is a script: it says what the servers are, does nothing else, and notes each start. */
export class FakeEngine {
  readonly environment: NodeJS.ProcessEnv;
  private readonly log: string;

  /** @param root an empty folder; it becomes the project's */
  constructor(
    readonly root: string,
    inventory: Inventory,
  ) {
    const bin = path.join(root, "bin");
    this.log = path.join(root, "starts");
    mkdirSync(bin, { recursive: true });
    writeFileSync(path.join(root, "Pulumi.yaml"), "name: containarium\nruntime: nodejs\n");
    writeFileSync(path.join(root, `Pulumi.${inventory.stack}.yaml`), "config: {}\n");
    writeFileSync(path.join(root, "inventory.json"), JSON.stringify(inventory));
    // Asking for the version is no start: the answer is kept.
    const script = `#!/bin/sh
[ "$1" = version ] && exec echo v3.248.0
echo "$*" >> '${this.log}'
[ "$1" != stack ] || cat '${root}/inventory.json'
`;
    for (const name of ["pulumi", "pulumi-language-nodejs"])
      writeFileSync(path.join(bin, name), script, { mode: 0o755 });
    this.environment = { HOME: root, XDG_CACHE_HOME: root, PATH: `${bin}:${process.env.PATH}` };
    this.forget();
  }

  /** The command lines with which it was started, in order. */
  get starts(): string[] {
    return readFileSync(this.log, "utf8").split("\n").filter(Boolean);
  }

  forget(): void {
    writeFileSync(this.log, "");
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
