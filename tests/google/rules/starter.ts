import { type Fleet, isSpot, list } from "../fleet";
import { nameOf, regionOfZone, type Resource, types } from "../resource";
import { each, type Rule } from "../rule";

/** The call that starts a stopped server. */
const startCall = /^https:\/\/compute\.googleapis\.com\/compute\/v1\/projects\/[^/]+\/zones\/([^/]+)\/instances\/([^/]+)\/start$/; // prettier-ignore

const started = (job: Resource) => startCall.exec(job.inputs.httpTarget?.uri ?? "");
const startersOf = (vm: Resource, fleet: Fleet) =>
  fleet.byType(types.job).filter((job) => started(job)?.[2] === vm.inputs.name);

/** Seconds of `30s`; the only unit that the service takes. */
const secondsOf = (text: unknown) => Number(/^(\d+(?:\.\d+)?)s$/.exec(String(text))?.[1] ?? Number.NaN);

const cron = /^\s*([\d*,/A-Za-z-]+\s+){4}[\d*,/A-Za-z-]+\s*$/;

export const starterRules: readonly Rule[] = [
  {
    id: "spot-has-one-starter",
    what: "One job starts a Spot server again. No job starts a regular one: it would undo a deliberate stop.",
    source: "ours",
    check: each(types.instance, (vm, fleet) => {
      const starters = startersOf(vm, fleet).length;
      return starters !== (isSpot(vm) ? 1 : 0) && `${starters} starters`;
    }),
  },
  {
    id: "starter-calls-a-server",
    what: "A job posts to the start of a server that is there, in its zone.",
    source: "docs",
    check: each(types.job, (job, fleet) => {
      const [, zone, name] = started(job) ?? [];
      const vm = fleet.find(types.instance, name);
      return [
        job.inputs.httpTarget?.httpMethod !== "POST" && `httpMethod ${job.inputs.httpTarget?.httpMethod}`,
        (vm === undefined || vm.inputs.zone !== zone) && `uri ${job.inputs.httpTarget?.uri}`,
      ];
    }),
  },
  {
    id: "starter-shows-a-token",
    what: "A call to Google's own interfaces shows an OAuth token, and no OIDC one.",
    source: "docs",
    check: each(types.job, ({ inputs }) => [
      inputs.httpTarget?.oauthToken?.serviceAccountEmail === undefined && "has no oauthToken",
      inputs.httpTarget?.oidcToken !== undefined && "has an oidcToken",
    ]),
  },
  {
    id: "starter-schedule",
    what: "A schedule has five fields, as cron does.",
    source: "docs",
    check: each(types.job, ({ inputs }) => !cron.test(inputs.schedule ?? "") && `schedule ${inputs.schedule}`),
  },
  {
    id: "starter-deadline",
    what: "An attempt may take 15 seconds to 30 minutes, given in seconds.",
    source: "provider",
    check: each(types.job, ({ inputs: { attemptDeadline } }) => {
      const seconds = secondsOf(attemptDeadline ?? "180s");
      return !(seconds >= 15 && seconds <= 1800) && `attemptDeadline ${attemptDeadline}`;
    }),
  },
  {
    id: "starter-region",
    what: "A job runs in the region of its server.",
    source: "ours",
    check: each(types.job, (job, fleet) => {
      const vm = fleet.find(types.instance, started(job)?.[2]);
      return vm !== undefined && job.inputs.region !== regionOfZone(vm.inputs.zone) && `region ${job.inputs.region}`;
    }),
  },
  {
    id: "starter-may-start",
    what: "The account of a server's starter is a member of that server, with a role that may start it.",
    source: "docs",
    check: each(types.job, (job, fleet) => {
      const name = started(job)?.[2];
      const email = job.inputs.httpTarget?.oauthToken?.serviceAccountEmail;
      if (fleet.find(types.instance, name) === undefined || email === undefined) return undefined;
      const grant = fleet
        .byType(types.instanceMember)
        .find(({ inputs }) => nameOf(inputs.instanceName) === name && inputs.member === `serviceAccount:${email}`);
      if (grant === undefined) return `${email} may do nothing with ${name}`;
      const role = fleet.byType(types.role).find(({ inputs }) => inputs.roleId === nameOf(grant.inputs.role));
      return role === undefined && `there is no role ${grant.inputs.role}`;
    }),
  },
  {
    id: "role-starts-and-no-more",
    what: "The role allows to start servers, and nothing else.",
    source: "ours",
    check: each(types.role, ({ inputs }) => String(list(inputs.permissions)) !== "compute.instances.start" && `permissions ${inputs.permissions}`), // prettier-ignore
  },
  {
    id: "member-form",
    what: "A member is `serviceAccount:` and an account of the fleet, in the zone of the server.",
    source: "api",
    check: each(types.instanceMember, ({ inputs }, fleet) => {
      const id = /^serviceAccount:([^@]+)@[^@]+\.gserviceaccount\.com$/.exec(inputs.member ?? "")?.[1];
      const vm = fleet.find(types.instance, inputs.instanceName);
      return [
        !fleet.byType(types.account).some((account) => account.inputs.accountId === id) && `member ${inputs.member}`,
        vm?.inputs.zone !== inputs.zone && `there is no ${inputs.instanceName} in ${inputs.zone}`,
      ];
    }),
  },
];
