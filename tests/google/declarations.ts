import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";

import * as ts from "typescript";

import { enumerated } from "./enumerated";
import type { Resource } from "./resource";

/**
 * What the installed package's own declarations say against a resource's inputs: names that nobody knows, at any depth,
 * what is missing, values of the wrong kind, and words outside the lists that the comments give. The engine checks none
 * of it before the provider is called.
 * @returns one line for each problem, beginning with the path: `bootDisk.initializeParams.sise: there is no such input`.
 */
export function declarationProblems({ type, inputs }: Pick<Resource, "type" | "inputs">): string[] {
  const args = argsOf(type);
  return objectProblems(inputs, args, "");
}

/** An interface, and where the names in it are looked up. */
interface Declared {
  members: Map<string, Member>;
  packageName: string;
}

interface Member {
  required: boolean;
  type: ts.TypeNode | undefined;
  /** What the comment says the value may be; none when it says nothing. */
  words: ReadonlySet<string> | undefined;
}

/** @throws Error when the package declares no such type. */
export function argsOf(token: string): Declared {
  return remembered(`args ${token}`, () => {
    const [packageName = "", module = "", name = ""] = token.split(":");
    const [folder = "", stem = name] = module.split("/");
    const directory = path.join(root(packageName), folder);
    // iAMCustomRole is in iamcustomRole.d.ts.
    const file = readdirSync(directory).find((one) => one.toLowerCase() === `${stem}.d.ts`.toLowerCase());
    if (file === undefined) throw new Error(`@pulumi/${packageName} declares no ${token}`);
    const found = parse(path.join(directory, file)).find((one) => ts.isInterfaceDeclaration(one) && one.name.text === `${name}Args`); // prettier-ignore
    if (found === undefined) throw new Error(`@pulumi/${packageName} declares no ${name}Args`);
    return declared(found as ts.InterfaceDeclaration, packageName);
  });
}

function objectProblems(value: any, { members, packageName }: Declared, at: string): string[] {
  const inside = (name: string) => (at === "" ? name : `${at}.${name}`);
  return [
    ...Object.keys(value)
      .filter((name) => !members.has(name))
      .map((name) => `${inside(name)}: there is no such input`),
    ...[...members].flatMap(([name, member]) => {
      if (value[name] === undefined || value[name] === null)
        return member.required ? [`${inside(name)}: is required`] : [];
      return valueProblems(value[name], member.type, { packageName, words: member.words }, inside(name));
    }),
  ];
}

interface Context {
  packageName: string;
  words?: ReadonlySet<string> | undefined;
}

function valueProblems(value: unknown, type: ts.TypeNode | undefined, context: Context, at: string): string[] {
  if (type === undefined) return [];
  if (ts.isUnionTypeNode(type)) return unionProblems(value, type, context, at);
  if (ts.isArrayTypeNode(type)) {
    if (!Array.isArray(value)) return wrong(value, "array", at);
    return value.flatMap((one, index) => valueProblems(one, type.elementType, context, `${at}[${index}]`));
  }
  if (ts.isTypeLiteralNode(type)) return mapProblems(value, type, context, at);
  if (ts.isTypeReferenceNode(type)) return referenceProblems(value, type, context, at);
  const kind = primitives.get(type.kind);
  if (kind === undefined) return [];
  if (typeof value !== kind) return wrong(value, kind, at);
  const isOther = typeof value === "string" && context.words !== undefined && !context.words.has(value);
  return isOther ? [`${at}: ${JSON.stringify(value)} is none of ${[...context.words!].join(", ")}`] : [];
}

/** Right if it is right by one of them; `undefined` is among nearly all. */
function unionProblems(value: unknown, { types }: ts.UnionTypeNode, context: Context, at: string): string[] {
  const meant = types.filter((one) => one.kind !== ts.SyntaxKind.UndefinedKeyword);
  const problems = meant.map((one) => valueProblems(value, one, context, at));
  return problems.find((found) => found.length === 0) ?? problems[0] ?? [];
}

/** `{[key: string]: pulumi.Input<string>}` */
function mapProblems(value: unknown, type: ts.TypeLiteralNode, context: Context, at: string): string[] {
  if (!isObject(value)) return wrong(value, "object", at);
  const index = type.members.find((member) => ts.isIndexSignatureDeclaration(member));
  return Object.entries(value).flatMap(([key, one]) =>
    valueProblems(one, index?.type, { packageName: context.packageName }, `${at}.${key}`),
  );
}

/** `pulumi.Input<T>` is T; `inputs.compute.InstanceBootDisk` is declared in types/input.d.ts; others we let through. */
function referenceProblems(value: unknown, type: ts.TypeReferenceNode, context: Context, at: string): string[] {
  const names = namesIn(type.typeName);
  if (names.at(-1) === "Input") return valueProblems(value, type.typeArguments?.[0], context, at);
  if (names[0] !== "inputs") return [];
  if (!isObject(value)) return wrong(value, "object", at);
  return objectProblems(value, nested(context.packageName, names.slice(1).join(".")), at);
}

function nested(packageName: string, name: string): Declared {
  return remembered(`nested ${packageName} ${name}`, () => {
    const found = nestedDeclarations(packageName).get(name);
    if (found === undefined) throw new Error(`@pulumi/${packageName} declares no ${name}`);
    return declared(found, packageName);
  });
}

/** Every interface of types/input.d.ts, as `compute.InstanceBootDisk`. Of @pulumi/gcp that is 6 MB, read once. */
function nestedDeclarations(packageName: string): Map<string, ts.InterfaceDeclaration> {
  return remembered(`input ${packageName}`, () => {
    const all = new Map<string, ts.InterfaceDeclaration>();
    const collect = (statements: readonly ts.Statement[], prefix: string) => {
      for (const one of statements) {
        if (ts.isInterfaceDeclaration(one)) all.set(prefix + one.name.text, one);
        if (ts.isModuleDeclaration(one) && one.body !== undefined && ts.isModuleBlock(one.body))
          collect(one.body.statements, `${prefix}${one.name.text}.`);
      }
    };
    collect(parse(path.join(root(packageName), "types", "input.d.ts")), "");
    return all;
  });
}

function declared(declaration: ts.InterfaceDeclaration, packageName: string): Declared {
  const members = declaration.members.filter((member) => ts.isPropertySignature(member));
  return {
    packageName,
    members: new Map(
      members.map((member) => [
        (member.name as ts.Identifier).text,
        { required: member.questionToken === undefined, type: member.type, words: enumerated(comment(member)) },
      ]),
    ),
  };
}

function comment(node: ts.Node): string {
  return ts
    .getJSDocCommentsAndTags(node)
    .map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? "")
    .join(" ");
}

function parse(file: string): readonly ts.Statement[] {
  return ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true).statements;
}

function root(packageName: string): string {
  return path.dirname(require.resolve(`@pulumi/${packageName}/package.json`));
}

function namesIn(name: ts.EntityName): string[] {
  return ts.isIdentifier(name) ? [name.text] : [...namesIn(name.left), name.right.text];
}

const primitives = new Map<ts.SyntaxKind, "string" | "number" | "boolean">([
  [ts.SyntaxKind.StringKeyword, "string"],
  [ts.SyntaxKind.NumberKeyword, "number"],
  [ts.SyntaxKind.BooleanKeyword, "boolean"],
]);

function wrong(value: unknown, kind: string, at: string): string[] {
  return [`${at}: is ${Array.isArray(value) ? "array" : typeof value}, not ${kind}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const memory = new Map<string, any>();

function remembered<T>(key: string, make: () => T): T {
  if (!memory.has(key)) memory.set(key, make());
  return memory.get(key);
}
