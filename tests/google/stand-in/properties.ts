import type { Properties, PropertyChange } from "./engine-protocol";

/** Pure: looking into nested properties, and comparing them property by property. */

/** All values at a path; `[]` stands for every element: `networkInterfaces[].accessConfigs[].natIp`. */
export function valuesAt(properties: unknown, path: string): unknown[] {
  const steps = path.replaceAll("[]", ".[]").split(".");
  const values = steps.reduce<unknown[]>(
    (found, step) =>
      found.flatMap((at) => (step === "[]" ? (Array.isArray(at) ? at : []) : [(at as Properties | undefined)?.[step]])),
    [properties],
  );
  return values.filter((value) => value !== undefined && value !== null);
}

/** The leaves that differ. A value that is not known yet differs from every other. */
export function changesBetween(olds: unknown, news: unknown, at = ""): Omit<PropertyChange, "replace">[] {
  if (isAbsent(olds) || isAbsent(news)) {
    if (isAbsent(olds) && isAbsent(news)) return [];
    return [{ path: at, kind: isAbsent(olds) ? "add" : "delete" }];
  }
  if (Array.isArray(olds) && Array.isArray(news)) {
    const length = Math.max(olds.length, news.length);
    return Array.from({ length }).flatMap((_, index) => changesBetween(olds[index], news[index], `${at}[${index}]`));
  }
  if (isObject(olds) && isObject(news)) {
    const keys = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter((key) => !key.startsWith("__"));
    return keys.flatMap((key) => changesBetween(olds[key], news[key], childPath(at, key)));
  }
  return olds === news ? [] : [{ path: at, kind: "update" }];
}

/** `networkInterfaces[].networkIp` of `networkInterfaces[0].networkIp`. */
export function pattern(path: string): string {
  return path.replaceAll(/\[\d+\]/g, "[]");
}

function childPath(at: string, key: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${at}[${JSON.stringify(key)}]`;
  return at === "" ? key : `${at}.${key}`;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
