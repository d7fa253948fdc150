/**
 * What a drill runs as root inside people's containers. Constants: what varies comes as arguments, all of them ours. What
 * they print is the container's word, and read as such.
 */

/** On the container's disk, like everything of its people. */
export const FOLDER = "/var/lib/containarium-drill";
/** In memory: how far the disk has said that it has the lines. */
export const ACKNOWLEDGED_FILE = "/run/containarium-drill.acknowledged";
const UNIT = "containarium-drill.service";

/** $1: begins each line, and is the drill's. Never says that a line is there before the disk has. */
const WRITER = `
set -eu
cd ${FOLDER}
n=0
while :; do
  n=$((n + 1))
  echo "$1 $n" >> lines
  sync lines
  echo $n > ${ACKNOWLEDGED_FILE}.new
  mv ${ACKNOWLEDGED_FILE}.new ${ACKNOWLEDGED_FILE}
  sleep 0.2
done
`;

/** Ends and removes what is there of this drill, or of one that was killed. */
const CLEAN_UP = `
systemctl stop --quiet ${UNIT} 2>/dev/null || true
rm -rf ${FOLDER} ${ACKNOWLEDGED_FILE} ${ACKNOWLEDGED_FILE}.new
`;

/**
 * $1 is the drill, $2 the writer. A sample of the home: what nobody is just writing, for a few seconds at most. The
 * writer ends by itself when the drill is killed and nobody comes back to end it.
 */
const PREPARE = `
set -eu
${CLEAN_UP}
mkdir -m 0700 ${FOLDER}
cd ${FOLDER}
timeout 10 find /home -xdev -type f -size -1024k ! -newermt '1 minute ago' -print0 | head -z -n 100 | xargs -0 -r sha256sum > sums
printf %s "$2" > writer
: > lines
sync sums lines .
systemd-run --quiet --collect --unit=${UNIT} --property=RuntimeMaxSec=1800 sh ${FOLDER}/writer "$1"
echo "$(wc -l < sums) $(sha256sum < sums | cut -c-64)"
`;

/** $1: how many lines were acknowledged. Files that were written after the list of sums was made are their owner's business. */
const EXAMINE = `
set -eu
cd ${FOLDER}
lines=$(wc -l < lines)
digest=$(head -n "$1" lines | sha256sum | cut -c-64)
sums=$(sha256sum < sums | cut -c-64)
LC_ALL=C sha256sum --check --quiet sums 2>/dev/null | sed -n 's/: FAILED.*$//p' > changed || true
changed=0
while IFS= read -r file; do
  [ "$file" -nt sums ] || changed=$((changed + 1))
done < changed
echo "$lines $digest $sums $changed"
`;

export const prepareCommand = (drill: string): string[] => ["sh", "-c", PREPARE, "prepare", drill, WRITER];
export const examineCommand = (acknowledged: number): string[] => ["sh", "-c", EXAMINE, "examine", `${acknowledged}`];
export const cleanUpCommand: readonly string[] = ["sh", "-c", CLEAN_UP];
