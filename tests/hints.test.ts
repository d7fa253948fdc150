/** Every command that the program tells people to type: each is one that it understands. */
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import * as ts from "typescript";

import { commands } from "../bin/commands";
import { nameOf } from "../bin/commands/name-of";
import { parseCommandLine } from "../bin/parse";

const root = path.join(__dirname, "..");
/** Stands for what is only known when the hint is made. */
const filled = "alice";

const hints = ["bin", "components", "ops", "scripts"].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(ts|js)$/.test(file))
    .flatMap((file) => hintsIn(path.join(folder, file))),
);

it("there are some", () => expect(hints.length).toBeGreaterThan(60));

it("every command that is named in a hint, or shown as an example, is understood", async () => {
  const wrong: string[] = [];
  for (const { file, words } of hints) {
    // A command may be spoken of, without being one that is to be typed as it stands.
    if (commands.some(({ usage }) => nameOf(usage) === words.join(" "))) continue;
    await parseCommandLine(words).catch((error: Error) => wrong.push(`${file}: ${words.join(" ")}: ${error.message}`));
  }
  expect(wrong).toEqual([]);
});

/** The command lines in a file's texts: after the program's name, or given to `nextCommand`. */
function hintsIn(file: string): { file: string; words: string[] }[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const text = textOf(node);
    if (text !== undefined) {
      found.push(...[...text.matchAll(/(?:containarium-ops|\$0) ([a-z][^\n]*)/g)].map(([, line]) => line!));
    }
    if (ts.isCallExpression(node) && node.expression.getText() === "nextCommand") {
      const line = node.arguments[1] && textOf(node.arguments[1]);
      if (line !== undefined) found.push(line);
    }
    // What stands in a template is part of it, and may hold hints of its own.
    ts.forEachChild(node, visit);
  };
  const source = readFileSync(path.join(root, file), "utf8");
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true));
  return found
    .filter((line) => !line.startsWith(filled) && !/^failed\b|^\w+ failed/.test(line))
    .map((line) => ({ file, words: wordsOf(line) }));
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => filled + literal.text).join("");
}

/** Up to where it ends: two spaces, a pipe, a full stop. */
function wordsOf(line: string): string[] {
  const [command = ""] = line.split(/ {2,}| [|>&] |\)/);
  const words = command.replace(/[.,:;]$/, "").match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  return words.map((word) => word.replace(/^(['"])(.*)\1$/, "$2"));
}
