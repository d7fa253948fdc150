import type { Command } from "./command";
import { create } from "./create";
import { deleteCommand } from "./delete";
import { exportCommand } from "./export";
import { info } from "./info";
import { list } from "./list";

/** In the order in which `--help` shows them. */
export const commands: Command[] = [create, list, info, deleteCommand, exportCommand];
