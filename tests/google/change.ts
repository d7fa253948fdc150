import type { Resource } from "./resource";

/** Something done to a fleet, in a copy of it. */
export interface Change {
  /** The resource that a rule will complain of, unless said otherwise. */
  at: string;
  apply(resources: Resource[]): Resource[];
}

/** Other inputs; objects are merged, arrays replaced, undefined takes away. */
export function set(at: string, inputs: Record<string, unknown>): Change {
  return edit(at, (resource) => ({ ...resource, inputs: merge(resource.inputs, inputs) }));
}

/** Other values in the first element of a list. */
export function setFirst(at: string, key: string, values: Record<string, unknown>): Change {
  return edit(at, (resource) => {
    const [first, ...rest] = resource.inputs[key];
    return { ...resource, inputs: { ...resource.inputs, [key]: [merge(first, values), ...rest] } };
  });
}

export function option(at: string, options: Resource["options"]): Change {
  return edit(at, (resource) => ({ ...resource, options: { ...resource.options, ...options } }));
}

export function remove(at: string): Change {
  return { at, apply: (resources) => resources.filter(({ name }) => name !== at) };
}

export function add(resource: Resource): Change {
  return { at: resource.name, apply: (resources) => [...resources, resource] };
}

/** One more like it, with another name in the stack and other inputs. */
export function twin(of: string, at: string, inputs: Record<string, unknown> = {}): Change {
  return {
    at,
    apply: (resources) => [
      ...resources,
      ...resources.filter(({ name }) => name === of).map((one) => ({ ...one, name: at, inputs: merge(one.inputs, inputs) })),
    ], // prettier-ignore
  };
}

/** One after the other; the rule complains of what the first one changed. */
export function all(first: Change, ...more: Change[]): Change {
  return { at: first.at, apply: (resources) => [first, ...more].reduce((so, { apply }) => apply(so), resources) };
}

function edit(at: string, change: (resource: Resource) => Resource): Change {
  return {
    at,
    apply(resources) {
      // A change of nothing would test nothing.
      if (!resources.some(({ name }) => name === at)) throw new Error(`there is no ${at}`);
      return resources.map((resource) => (resource.name === at ? change(resource) : resource));
    },
  };
}

function merge(old: any, change: any): any {
  const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject(old) || !isObject(change)) return change;
  const merged = { ...old };
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) delete merged[key];
    else merged[key] = merge(old[key], value);
  }
  return merged;
}
