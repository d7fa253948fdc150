import type { Command } from "./command";
import { autostart } from "./autostart";
import { backup } from "./backup";
import { create } from "./create";
import { deleteCommand } from "./delete";
import { exportCommand } from "./export";
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
import { snapshotCreate } from "./snapshot-create";
import { snapshotDelete } from "./snapshot-delete";
import { snapshotList } from "./snapshot-list";
import { snapshotRestore } from "./snapshot-restore";
import { snapshotSchedule } from "./snapshot-schedule";
import { start } from "./start";
import { stop } from "./stop";

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
];

/** Commands of two words, by the first: what they are about. */
export const groups: Record<string, string> = {
  keys: "Look after the keys with which a user logs in",
  snapshot: "Keep people's disks as they are, and put them back",
};
