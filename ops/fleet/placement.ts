/** What placement looks at. */
export interface Candidate {
  server: string;
  /** Containers of ours on it. */
  containers: number;
  /** Memory that is free now. */
  availableBytes: number;
}

/** The server for one more container: the one with the fewest, among equals the one with most free memory. Pure. */
export function choosePlace<T extends Candidate>(candidates: readonly T[]): T | undefined {
  return [...candidates].sort(
    (a, b) => a.containers - b.containers || b.availableBytes - a.availableBytes || a.server.localeCompare(b.server),
  )[0];
}
