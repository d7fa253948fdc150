import { recordOperation } from "../audit/record-operation";
import type { Container } from "../containers/container";
import { readContainer } from "../containers/get";
import { modifyOwn } from "../containers/own-container";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { parseSchedule, parseScheduleExpiry, renderSchedule, type SnapshotSchedule } from "./schedule-text";

/**
 * From now on its disk is kept by itself, at these times; those that are there already stay.
 *
 * @throws InvalidInputError; NotFoundError; ConflictError when it is half-made or not ours
 */
export async function scheduleSnapshots(
  server: Server,
  user: string,
  schedule: SnapshotSchedule,
  options?: RequestOptions,
): Promise<Container> {
  if (schedule.snapshotSchedule !== undefined) parseSchedule(schedule.snapshotSchedule);
  if (schedule.snapshotExpiry !== undefined) parseScheduleExpiry(schedule.snapshotExpiry);
  const config = renderSchedule(schedule);
  return recordOperation(server, { operation: "snapshot schedule", user }, async () => {
    const record = await modifyOwn(server, user, () => ({ config }), options);
    return readContainer(server, record, options);
  });
}
