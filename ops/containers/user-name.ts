import { InvalidInputError } from "../errors";

/** Login names of people: also their account on the server, and part of host names in SSH configs. */
const USER_NAME = /^[a-z][a-z0-9_-]{0,31}$/;

const RULE = "A user name is 1 to 32 characters: a small letter first, then small letters, digits, - and _.";

/**
 * Names that a server has or may get by installing a package: users and groups of Debian's base-passwd and of what
 * runs on a server (useradd makes a group of the same name, so groups count too).
 */
const RESERVED = new Set(
  `root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody nogroup
   adm tty disk kmem dialout fax voice cdrom floppy tape sudo audio dip operator src shadow utmp video sasl plugdev
   staff users input sgx kvm render crontab netdev ssh sshd messagebus polkitd dnsmasq chrony ntp ntpsec uuidd tss
   avahi lxc lxd incus incus-admin docker podman containerd fail2ban bind postfix mysql postgres redis nginx
   halt shutdown reboot poweroff wheel admin administrator adminuser superuser toor operator support
   debian ubuntu google google-sudoers gce cloud ec2-user vagrant ansible pulumi
   localhost localdomain default none all any everyone anonymous guest unknown`
    .trim()
    .split(/\s+/),
);

const RESERVED_PREFIXES = ["containarium", "systemd-", "incus-", "lxd-", "google-", "sa_"];

/**
 * Checks a user name.
 *
 * @throws InvalidInputError with the rule, or that the name is reserved
 */
export function parseUserName(text: string): string {
  if (!USER_NAME.test(text)) {
    throw new InvalidInputError(`${JSON.stringify(text)} is not a valid user name`, { remedy: RULE });
  }
  if (RESERVED.has(text) || RESERVED_PREFIXES.some((prefix) => text.startsWith(prefix))) {
    throw new InvalidInputError(`the user name ${text} is reserved for the server itself`, {
      remedy: "Choose another name.",
    });
  }
  return text;
}

/**
 * `<user>-container`. Incus takes no underscore in a name (it is a host name), so there it becomes a hyphen; who owns a
 * container is always read from its config, never from its name.
 */
export function containerName(user: string): string {
  return `${user.replaceAll("_", "-")}-container`;
}
