import type { Patients } from "../../ops/doctor/examine";
import { localName } from "../target-flags";
import type { Target } from "../target";

/** The servers of a target, for what looks at all of them. */
export function patientsOf({ addresses, servers }: Target): Patients {
  const names = addresses.map(({ name }) => name);
  return {
    names: names.length > 0 ? names : [localName],
    open: (name) => servers.server(name),
    all: servers.all,
  };
}
