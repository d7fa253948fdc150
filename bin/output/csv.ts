import { stringify } from "csv-stringify/sync";

import { printable } from "./printable";

/**
 * A table for spreadsheets (RFC 4180), with its heading. Cells come from strangers: one that a spreadsheet would take for
 * a formula gets an apostrophe before it.
 */
export function renderCsv(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(printable));
  return stringify([[...head], ...cells], { escape_formulas: true, record_delimiter: "\n" }).trimEnd();
}
