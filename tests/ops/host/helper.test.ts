import { helperError } from "../../../ops/host/helper";
import { explainBridgeEnd, explainHelperEnd } from "../../../ops/host/explain";

it.each([
  ["invalid", "invalid"],
  ["not-found", "not-found"],
  ["conflict", "conflict"],
  ["locked", "conflict"],
  ["failed", "failed"],
  ["something new", "failed"],
])("the helper's %s is our %s", (code, kind) => {
  expect(helperError("jump-1", { code, message: "m", remedy: "r" })).toMatchObject({
    kind,
    message: "m",
    remedy: "r",
    server: "jump-1",
  });
});

it.each([
  ["sudo: a password is required", "authentication"],
  ["admin is not in the sudoers file.", "authentication"],
  ["sudo: /usr/local/sbin/containarium-host: command not found", "failed"],
  ["Traceback\nKeyError", "failed"],
  ["", "failed"],
])("a helper that ended with %j", (stderr, kind) => {
  expect(explainHelperEnd("jump-1", { code: 1, stderr })).toMatchObject({ kind, server: "jump-1" });
});

it.each([
  [0, "", undefined],
  [1, "nc: unix connect failed: Connection refused", "nothing listens on its socket"],
  [1, "nc: unix connect failed: No such file or directory", "nothing listens on its socket"],
  [1, "", "the bridge ended with code 1"],
  [null, "", "the connection broke"],
  [1, "sudo: nc: command not found", "not set up"],
])("a bridge that ended with %j %j", (code, stderr, message) => {
  const error = explainBridgeEnd("jump-1", { code, stderr });
  if (message === undefined) expect(error).toBeUndefined();
  else expect(error?.message).toContain(message);
});
