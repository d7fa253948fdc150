import { between } from "../fleet";
import { type Resource, types } from "../resource";
import { each, type Rule } from "../rule";

/** A check of the scheduling block alone. */
function scheduling(problem: (block: Record<string, any>) => string | false | undefined): Rule["check"] {
  return each([types.instance, types.template], ({ inputs }: Resource) => problem(inputs.scheduling ?? {}));
}

export const schedulingRules: readonly Rule[] = [
  {
    id: "spot-is-preemptible",
    what: "SPOT and preemptible go together.",
    source: "reports",
    check: scheduling(
      ({ provisioningModel = "STANDARD", preemptible = false }) =>
        (provisioningModel === "SPOT") !== preemptible && `${provisioningModel} with preemptible ${preemptible}`,
    ),
  },
  {
    id: "spot-never-restarts",
    what: "A Spot server has automaticRestart false, written: without a word it is true, and refused.",
    source: "api",
    check: scheduling(
      ({ preemptible, automaticRestart }) => preemptible === true && automaticRestart !== false && `automaticRestart is ${automaticRestart}`, // prettier-ignore
    ),
  },
  {
    id: "spot-is-not-moved",
    what: "A Spot server has onHostMaintenance TERMINATE.",
    source: "reports",
    check: scheduling(
      ({ preemptible, onHostMaintenance }) => preemptible === true && onHostMaintenance !== "TERMINATE" && `onHostMaintenance is ${onHostMaintenance}`, // prettier-ignore
    ),
  },
  {
    id: "termination-action-is-for-spot",
    what: "Only Spot servers and those bound to a reservation have an instanceTerminationAction.",
    source: "reports",
    check: scheduling(
      ({ provisioningModel = "STANDARD", instanceTerminationAction }) =>
        instanceTerminationAction !== undefined &&
        !["SPOT", "RESERVATION_BOUND"].includes(provisioningModel) &&
        `instanceTerminationAction with ${provisioningModel}`,
    ),
  },
  {
    id: "spot-says-how-it-ends",
    what: "A Spot server has an instanceTerminationAction, written: else every update finds a difference.",
    source: "reports",
    check: scheduling(
      ({ provisioningModel, instanceTerminationAction }) =>
        provisioningModel === "SPOT" &&
        instanceTerminationAction === undefined &&
        "instanceTerminationAction is not set",
    ),
  },
  {
    id: "server-stops-when-taken",
    what: "A server that Google takes away is stopped: deleted, it would be gone with its boot disk, and the stack not know.",
    source: "ours",
    check: each(types.instance, ({ inputs }) => inputs.scheduling?.instanceTerminationAction === "DELETE" && "instanceTerminationAction is DELETE"), // prettier-ignore
  },
  {
    id: "preemption-notice",
    what: "Only Spot servers get a notice, of 0 or 120 seconds.",
    source: "docs",
    check: scheduling(
      ({ provisioningModel = "STANDARD", preemptionNoticeDuration: notice }) =>
        notice !== undefined &&
        (provisioningModel !== "SPOT" || ![0, 120].includes(notice.seconds)) &&
        `notice of ${notice.seconds} s with ${provisioningModel}`,
    ),
  },
  {
    id: "host-error-timeout",
    what: "hostErrorTimeoutSeconds is 90 to 330, by 30.",
    source: "api",
    check: scheduling(
      ({ hostErrorTimeoutSeconds: limit }) =>
        limit !== undefined && (!between(limit, 90, 330) || limit % 30 !== 0) && `hostErrorTimeoutSeconds is ${limit}`,
    ),
  },
  {
    id: "run-limit-once",
    what: "A server's life is bounded by maxRunDuration or terminationTime, not by both.",
    source: "api",
    check: scheduling(
      ({ maxRunDuration, terminationTime }) =>
        maxRunDuration !== undefined && terminationTime !== undefined && "maxRunDuration and terminationTime",
    ),
  },
  {
    id: "stop-action-needs-stop",
    what: "onInstanceStopAction is for servers that stop.",
    source: "provider",
    check: scheduling(
      ({ onInstanceStopAction, instanceTerminationAction }) =>
        onInstanceStopAction !== undefined &&
        instanceTerminationAction !== "STOP" &&
        "onInstanceStopAction without STOP",
    ),
  },
];
