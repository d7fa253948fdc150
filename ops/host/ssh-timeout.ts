const usual = 60;
/** What the host helper accepts. */
const longest = 600;

/**
 * How long SSH may take to answer after a container's start, in seconds. [M] 0.5 s; a loaded server needs more. For servers
 * that are slower than any that one would pay for, emulated ones, CONTAINARIUM_SSH_TIMEOUT says it; what is no such number
 * counts as nothing, for nobody's container is to fail by it.
 */
export function sshTimeoutSeconds(environment: NodeJS.ProcessEnv = process.env): number {
  const seconds = Number(environment["CONTAINARIUM_SSH_TIMEOUT"]);
  return seconds > 0 && seconds <= longest ? seconds : usual;
}
