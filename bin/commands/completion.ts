import { InvalidInputError } from "../../ops/errors";
import { command } from "./command";
import type { Command, Result } from "./command";
import type { CommandTable } from "../help/command-table";

/** @param table asked for at the first use: this command is in it */
export function completionOf(table: () => CommandTable): Command {
  return command({
    usage: "completion <shell>",
    describe: "Print a script with which a shell completes commands and options",
    positional: { shell: { describe: "bash, zsh or fish" } },
    options: {},
    examples: [
      ["source <($0 completion bash)", "in ~/.bashrc; for zsh the same in ~/.zshrc"],
      ["$0 completion fish | source", "in ~/.config/fish/config.fish"],
    ],
    run({ shell }): Promise<Result> {
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- seldom needed
      const { completionScript, shells } = require("../help/completion") as typeof import("../help/completion");
      const known = shells.find((one) => one === shell);
      if (known === undefined) {
        return Promise.reject(
          new InvalidInputError(`no completion for ${JSON.stringify(shell)}`, {
            remedy: `There is: ${shells.join(", ")}`,
          }),
        );
      }
      const script = completionScript(known, table());
      return Promise.resolve({ json: { shell: known, script }, text: script.trimEnd() });
    },
  });
}
