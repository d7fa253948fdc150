/**
 * What is run on a living Google server after its first boot, and again when what it should be has changed: Google hands
 * new metadata to a server, but starts the startup script at boot alone. Does nothing on a server that is up to date.
 *
 * @param wanted SHA-256 (hex) of the metadata `containarium-server`, which names the hash of every startup file
 */
export function convergeCommand(wanted: string): string {
  return [
    `current() { sudo -n test -e /run/containarium/ready && echo '${wanted}  /etc/containarium/server.json' | sudo -n sha256sum --check --status; }`,
    // Metadata may arrive a moment later than the update that announced it.
    "for attempt in 1 2 3; do",
    "  if current; then exit 0; fi",
    "  sudo -n google_metadata_script_runner startup || true",
    "done",
    "current && exit 0",
    'echo "the startup did not succeed; its last words are above, all of them: sudo journalctl -u google-startup-scripts" >&2',
    "exit 1",
  ].join("\n");
}
