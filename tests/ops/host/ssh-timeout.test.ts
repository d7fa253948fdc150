import { sshTimeoutSeconds } from "../../../ops/host/ssh-timeout";

test.each([
  [{}, 60],
  [{ CONTAINARIUM_SSH_TIMEOUT: "300" }, 300],
  [{ CONTAINARIUM_SSH_TIMEOUT: "" }, 60],
  [{ CONTAINARIUM_SSH_TIMEOUT: "601" }, 60],
  [{ CONTAINARIUM_SSH_TIMEOUT: "soon" }, 60],
])("%j: %i seconds", (environment, seconds) => {
  expect(sshTimeoutSeconds(environment)).toBe(seconds);
});
