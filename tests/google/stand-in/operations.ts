import { pattern } from "./properties";

/** One thing that an administrator sees the engine do, or plan. */
export interface Operation {
  op: "create" | "update" | "replace" | "delete" | "retain" | "import" | "read" | "same";
  /** `gcp:compute/disk:Disk` */
  type: string;
  /** Its name in the stack. */
  name: string;
  /** Properties for which it happens, without indices: `networkInterfaces[].networkIp`. */
  changed: string[];
  failed?: true;
}

interface Step {
  op: string;
  urn: string;
  detailedDiff?: Record<string, unknown> | null;
  old?: StepState | null;
  new?: StepState | null;
  oldState?: StepState;
  newState?: StepState;
}

interface StepState {
  custom?: boolean;
  retainOnDelete?: boolean;
}

interface EngineEvent {
  resourcePreEvent?: { metadata: Step };
  resOutputsEvent?: { metadata: Step };
  resOpFailedEvent?: { metadata: Step };
  diagnosticEvent?: { message: string; severity: string };
}

/**
 * What `pulumi up|destroy --json` did, `pulumi preview --json` plans or `pulumi refresh --json` found, resource by
 * resource; components and providers left out. A replacement, which the engine reports in three parts, is one operation.
 */
export function operationsOf(output: string): Operation[] {
  const operations = new Map<string, Operation>();
  const failed = new Set(events(output).flatMap(({ resOpFailedEvent }) => resOpFailedEvent?.metadata.urn ?? []));
  for (const step of stepsOf(output)) {
    if (!isResource(step)) continue;
    const known = operations.get(step.urn);
    const changed = [...new Set([...(known?.changed ?? []), ...Object.keys(step.detailedDiff ?? {}).map(pattern)])];
    const op = known === undefined ? opOf(step) : stronger(known.op, opOf(step));
    const [type = "", name = ""] = step.urn.split("::").slice(2);
    const failure = failed.has(step.urn) ? { failed: true as const } : {};
    operations.set(step.urn, { op, type: type.split("$").at(-1) ?? "", name, changed, ...failure });
  }
  return [...operations.values()];
}

/** Those that change something. */
export function changesIn(output: string): Operation[] {
  return operationsOf(output).filter(({ op }) => op !== "same" && op !== "read");
}

/** One line each, sorted, to be compared whole: `replace Instance vm (zone)`. */
export function summaryOf(operations: Operation[]): string[] {
  return operations
    .map(({ op, type, name, changed, failed }) => {
      const why = op === "update" || op === "replace" ? ` (${[...changed].sort().join(", ")})` : "";
      return `${op} ${type.split(":").at(-1)} ${name}${why}${failed ? " FAILED" : ""}`;
    })
    .sort();
}

/** The engine's own errors. */
export function errorsIn(output: string): string[] {
  if (output.startsWith("{\n")) {
    const { diagnostics = [] } = JSON.parse(output) as { diagnostics?: { message: string; severity: string }[] };
    return diagnostics.flatMap(({ message, severity }) => (severity === "error" ? [message.trim()] : []));
  }
  return events(output).flatMap(({ diagnosticEvent: said }) => (said?.severity === "error" ? [said.message.trim()] : [])); // prettier-ignore
}

function stepsOf(output: string): Step[] {
  const digest = output.startsWith("{\n") ? (JSON.parse(output) as { steps?: Step[] }) : undefined;
  if (digest !== undefined) return digest.steps ?? [];
  const begun = events(output).flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []);
  const ended = events(output).flatMap(({ resOutputsEvent }) => resOutputsEvent?.metadata ?? []);
  // What a refresh has found is known at its end.
  const found = ({ urn }: Step) => ended.filter((step) => step.urn === urn).slice(0, 1);
  return begun.flatMap((step) => (step.op === "refresh" ? found(step) : [step]));
}

function events(output: string): EngineEvent[] {
  if (output.startsWith("{\n")) return [];
  return output.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as EngineEvent] : []));
}

function isResource({ urn, old, new: next, oldState, newState }: Step): boolean {
  const state = next ?? newState ?? old ?? oldState;
  return state?.custom === true && !/[:$]pulumi:providers:/.test(urn);
}

function opOf({ op, old, oldState }: Step): Operation["op"] {
  if (["replace", "create-replacement", "delete-replaced", "import-replacement"].includes(op)) return "replace";
  if (op === "delete" && (old ?? oldState)?.retainOnDelete) return "retain";
  return op as Operation["op"];
}

function stronger(one: Operation["op"], other: Operation["op"]): Operation["op"] {
  return one === "same" ? other : one;
}
