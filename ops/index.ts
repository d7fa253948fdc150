/**
 * The library: people and their containers on one server or many. Knows nothing of Pulumi, prints nothing, never exits.
 *
 * ```ts
 * const container = await withServer(address, {}, (server) => createContainer(server, { user: "alice", sshKeys: [key] }));
 * ```
 */
export * from "./errors";
export { waitFor, type WaitOptions } from "./wait";

export { openServer, withServer } from "./host/server";
export type { LocalTarget, OpenOptions, Server, ServerTarget } from "./host/server";
export type { HelperOp, HelperRequest, HelperResult, JumpAccount, ServerStatus } from "./host/helper-protocol";

export { IncusClient } from "./incus/client";
export { INCUS_SOCKET, unixSocketStream } from "./incus/unix-socket";
export { IncusError, IncusUnavailableError } from "./incus/incus-error";
export type { OpenStream } from "./incus/transport";
export type * from "./incus/types";

export type {
  Container,
  ContainerDetails,
  ContainerSpec,
  ContainerStatus,
  CreateStep,
  SnapshotSummary,
} from "./containers/container";
export { createContainer, type CreateOptions } from "./containers/create";
export { listContainers } from "./containers/list";
export { inspectContainer } from "./containers/inspect";
export { getContainer } from "./containers/get";
export { updateContainer } from "./containers/update";
export { startContainer } from "./containers/start";
export { stopContainer, type Stopped, type StopOptions } from "./containers/stop";
export { restartContainer } from "./containers/restart";
export { setAutostart } from "./containers/autostart";
export { resizeContainer, type Limits } from "./containers/resize";
export { deleteContainer } from "./containers/delete";
export { CONTAINER_DEFAULTS, resolveSpec, type ResolvedSpec } from "./containers/spec";
export { parseCpu, parseDiskQuota, parseMemory, parseProcesses, parseSize, type Size } from "./containers/size";
export { containerName, parseUserName } from "./containers/user-name";

export { parsePublicKey, readPublicKeys, uniqueKeys, type KeySummary, type PublicKey } from "./keys/public-key";

export { parseKeySelector, type KeySelector } from "./keys/select";
export type { KeyChange } from "./keys/change";
export { addKeys } from "./keys/add";
export { removeKeys, type RemoveOptions } from "./keys/remove";
export { replaceKeys, type ReplaceOptions } from "./keys/replace";

export { createSnapshot, type SnapshotOptions } from "./snapshots/create";
export { deleteSnapshot } from "./snapshots/delete";
export { listSnapshots } from "./snapshots/list";
export { restoreSnapshot } from "./snapshots/restore";

export { backupContainer, type Backup, type BackupOptions, type OnProgress } from "./backups/backup";
export { restoreContainer, type Restored, type RestoreOptions } from "./backups/restore";

export { readAudit, type Audit, type AuditEvent, type AuditQuery } from "./audit/read";
export type { ContainerLogin } from "./audit/container-logins";
export { listSessions, type Session } from "./audit/sessions";
export { recordOperation, type Operation } from "./audit/record-operation";
export { addBan, banHistory, listBans, removeBan, type Bans, type ServerBan, type ServerBanEvent } from "./bans/bans";
export { checkServer, type ServerHealth } from "./status/server-health";
export { activitySince, summarizeActivity, type Activity } from "./status/activity";
export { examineFleet, type Examination, type ExamineOptions, type Patients } from "./doctor/examine";
export type { Check, CheckState } from "./doctor/check";
export { verifyAccess, type AccessReport } from "./doctor/access";
export type { Attempt } from "./doctor/attempt";
export { listImages, type OlderContainer, type ServerImage, type ServerImages } from "./images/list";
export { bakeImage, type BakeOptions } from "./images/bake";
export { whyOutdated, type OutdatedReason } from "./images/outdated";

export { listRecords } from "./containers/list-records";
export type { ContainerRecord } from "./containers/record";
export { drillPreemption, type DrillOptions } from "./drill/preempt";
export { spreadOf, type Drill, type DrilledPerson, type DrillProblem, type DrillStep } from "./drill/drill";
export { scheduleSnapshots } from "./snapshots/schedule";
export { parseSchedule, parseScheduleExpiry, type SnapshotSchedule } from "./snapshots/schedule-text";
export { moveContainer, type Moved, type MoveOptions, type MoveServers } from "./moves/move";

export { Fleet, type Found } from "./fleet/fleet";
export { inventorySchema, serverAddressSchema } from "./fleet/inventory";
export { announceAccounts, type Announcement } from "./fleet/announce";
export type { Balancer, Inventory, InventoryServer, ServerAddress } from "./fleet/inventory";
export { renderSshConfig, type SshConfigOptions } from "./fleet/ssh-config";
export { renderKnownHosts } from "./fleet/known-hosts";
