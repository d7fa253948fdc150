/** During a preview the value of something that does not exist yet is this text (SDK: `unknownValue`, not exported). */
const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** What a dynamic provider may look at; undefined for what is not known yet. */
export function known<T>(value: T | undefined): T | undefined {
  return value === unknownValue ? undefined : value;
}
