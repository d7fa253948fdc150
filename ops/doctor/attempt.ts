/** Something that was tried, with what must come of it and what came. */
export interface Attempt {
  server: string;
  attempt: string;
  /** `open`, `refused by sshd`, `refused by the kernel`, `closed`. */
  expected: string;
  result: string;
  ok: boolean;
}
