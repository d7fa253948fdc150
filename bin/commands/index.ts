import type { CommandTable } from "../help/command-table";
import { globalOptionTable, helpOptionTable } from "../global-options";
import type { Command } from "./command";
import { audit } from "./audit";
import { autostart } from "./autostart";
import { backup } from "./backup";
import { bansAdd } from "./bans-add";
import { bansHistory } from "./bans-history";
import { bansList } from "./bans-list";
import { bansRemove } from "./bans-remove";
import { completionOf } from "./completion";
import { create } from "./create";
import { doctor } from "./doctor";
import { deleteCommand } from "./delete";
import { drillPreempt } from "./drill-preempt";
import { exportCommand } from "./export";
import { imageBake } from "./image-bake";
import { imageList } from "./image-list";
import { imageOutdated } from "./image-outdated";
import { info } from "./info";
import { keysAdd } from "./keys-add";
import { keysList } from "./keys-list";
import { keysRemove } from "./keys-remove";
import { keysReplace } from "./keys-replace";
import { list } from "./list";
import { move } from "./move";
import { resize } from "./resize";
import { restore } from "./restore";
import { restart } from "./restart";
import { sessions } from "./sessions";
import { snapshotCreate } from "./snapshot-create";
import { snapshotDelete } from "./snapshot-delete";
import { snapshotList } from "./snapshot-list";
import { snapshotRestore } from "./snapshot-restore";
import { snapshotSchedule } from "./snapshot-schedule";
import { start } from "./start";
import { status } from "./status";
import { stop } from "./stop";
import { verifyAccess } from "./verify-access";
import { sync } from "./sync";

/** In the order in which `--help` shows them. */
export const commands: Command[] = [
  create,
  list,
  info,
  start,
  stop,
  restart,
  autostart,
  resize,
  deleteCommand,
  exportCommand,
  backup,
  restore,
  move,
  keysList,
  keysAdd,
  keysRemove,
  keysReplace,
  snapshotCreate,
  snapshotList,
  snapshotRestore,
  snapshotDelete,
  snapshotSchedule,
  status,
  sessions,
  audit,
  bansList,
  bansAdd,
  bansRemove,
  bansHistory,
  doctor,
  verifyAccess,
  imageList,
  imageBake,
  imageOutdated,
  sync,
  completionOf(commandTable),
  drillPreempt,
];

/** Commands of two words, by the first: what they are about. */
export const groups: Record<string, string> = {
  bans: "Shut addresses out of the servers, and let them in again",
  keys: "Look after the keys with which a user logs in",
  drill: "Have something go wrong on purpose, and see that nothing is lost",
  snapshot: "Keep people's disks as they are, and put them back",
  image: "Look after what new containers are copied from",
};

/** For what is made from it all: completion and the man page. */
export function commandTable(): CommandTable {
  return { commands, groups, globals: { ...globalOptionTable, ...helpOptionTable } };
}
