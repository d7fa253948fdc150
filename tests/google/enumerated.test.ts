import { enumerated } from "./enumerated";

/** Comments as they are in the declarations. */
test.each([
  ["The type of address. Default value is `EXTERNAL`. Possible values are: `INTERNAL`, `EXTERNAL`.", "INTERNAL EXTERNAL"],
  ["Desired status of the instance. Either\n`\"RUNNING\"`, `\"SUSPENDED\"` or `\"TERMINATED\"`.", "RUNNING SUSPENDED TERMINATED"],
  ["Describe the type of termination action for VM. Can be `STOP` or `DELETE`.  Read more", "STOP DELETE"],
  ["maintenance behavior for the\ninstance. Can be MIGRATE or TERMINATE, for more info, read", "MIGRATE TERMINATE"],
  ["This field accepts the value `STANDARD`, `SPOT`, `FLEX_START`, or `RESERVATION_BOUND`. If the value is `STANDARD`,", "STANDARD SPOT FLEX_START RESERVATION_BOUND"],
  ["The mode in which to attach this disk, either `READ_WRITE` or `READ_ONLY`", "READ_WRITE READ_ONLY"],
  ["The disk interface used for attaching this disk. One of SCSI or NVME.", "SCSI NVME"],
  ['Must be one of: PREMIUM, STANDARD.', "PREMIUM STANDARD"],
  ['Default value: "NONE" Possible values: ["NONE", "PROXY_V1"]', "NONE PROXY_V1"],
  ["Possible values are: * REPLACE\n* RESTART\n* REFRESH\n* NONE", "REPLACE RESTART REFRESH NONE"],
  ["frequency of planned maintenance events. The accepted values are: `PERIODIC`.", "PERIODIC"],
  ["which can be one of the following values.\n* GCE_ENDPOINT for addresses\n* VPC_PEERING for others", "GCE_ENDPOINT VPC_PEERING"],
  ['field is set to "PREVENT" in state.\nWhen set to "ABANDON", the\nWhen set to "DELETE", deleting', "PREVENT ABANDON DELETE"],
  ["The DNS name. Must be a fully qualified DNS name and RFC-1035-valid.", undefined],
  ["Supported values include: `ENDPOINT_TYPE_VM`, `ENDPOINT_TYPE_SWG`", undefined],
  ["`onHostMaintenance` can be set to MIGRATE if `minCpuPlatform` is", undefined],
  ["For example: * READ_WRITE_SINGLE: The default AccessMode", undefined],
])("%s", (comment, words) => {
  const found = enumerated(comment);
  expect(found === undefined ? undefined : [...found].join(" ")).toBe(words);
}); // prettier-ignore
