import { spreadOf } from "../../ops/drill/drill";
import { OperationError } from "../../ops/errors";
import type { Failure } from "../output/error";
import { seconds } from "../output/progress";
import { renderTable } from "../output/table";
import type { Drill } from "../services";

/** One drill as `--json` has it. */
export interface DrillReport extends Drill {
  /** Which of several in a row, from 1. */
  run: number;
  /** How long people were shut out. Absent when nobody came back. */
  back?: { medianMilliseconds: number; worstMilliseconds: number };
  lost: number;
  changed: number;
  notBack: number;
  unproven: number;
}

export function reportOf(run: number, drill: Drill): DrillReport {
  const spread = spreadOf(drill.people.flatMap(({ backMilliseconds }) => backMilliseconds ?? []));
  const problems = [drill, ...drill.people].flatMap((one) => one.problems);
  const count = (kind: (typeof problems)[number]["kind"]) => problems.filter((problem) => problem.kind === kind).length;
  return {
    run,
    ...drill,
    ...(spread && { back: { medianMilliseconds: Math.round(spread.median), worstMilliseconds: spread.worst } }),
    lost: count("lost"),
    changed: count("changed"),
    notBack: count("not-back"),
    unproven: count("unproven"),
  };
}

/** Each problem as a failure of whom it happened to. */
export function failuresOf(drill: Drill): Failure[] {
  const of = (subject: string, { problems }: Pick<Drill, "problems">): Failure[] =>
    problems.map(({ kind, message }) => ({
      subject,
      error: new OperationError(`${kind}: ${message}`, { server: drill.server }),
    }));
  return [...of(drill.server, drill), ...drill.people.flatMap((person) => of(person.user, person))];
}

export function renderDrill(report: DrillReport): string {
  const { people, back } = report;
  const acknowledged = people.reduce((sum, person) => sum + person.acknowledged, 0);
  const times = back
    ? `; in again after ${seconds(back.medianMilliseconds)} (median), ${seconds(back.worstMilliseconds)} (worst)`
    : "";
  const verdict =
    `${report.server}, drill ${report.run}: ${people.length} people, ${acknowledged} lines acknowledged; ` +
    `${report.lost} lost, ${report.changed} changed, ${report.notBack} not back, ${report.unproven} unproven${times}.`;
  if (people.length === 0) return verdict;
  const rows = people.map(({ user, acknowledged: lines, kept, homeFiles, backMilliseconds, problems }) => [
    user,
    backMilliseconds === undefined ? "-" : seconds(backMilliseconds),
    `${kept}/${lines}`,
    String(homeFiles),
    problems.length === 0 ? "as before" : [...new Set(problems.map(({ kind }) => kind))].join(", "),
  ]);
  return `${renderTable(["USER", "IN AGAIN", "LINES", "HOME FILES", "IS"], rows)}\n${verdict}`;
}
