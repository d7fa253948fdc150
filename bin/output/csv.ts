import { printable } from "./printable";

/**
 * A table for spreadsheets (RFC 4180), with its heading. Cells come from strangers: one that a spreadsheet would take for
 * a formula gets an apostrophe before it.
 */
export function renderCsv(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- every command loads this file, and hardly any prints CSV
  const { stringify } = require("csv-stringify/sync") as typeof import("csv-stringify/sync");
  const cells = rows.map((row) => row.map(printable));
  return stringify([[...head], ...cells], { escape_formulas: true, record_delimiter: "\n" }).trimEnd();
}
