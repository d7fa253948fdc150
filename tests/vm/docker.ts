import { step } from "./step";
import type { TestServer } from "./test-server";

export function docker(server: TestServer): void {
  step("Docker runs in her container, on overlay2", async () => {
    // No registry: the image is made of the container's own true(1).
    const image = "tar -ch /bin/true $(ldd /bin/true | grep -o '/[^ ]*') 2>/dev/null | sudo docker import - tiny";
    const driver = "sudo docker info --format {{.Driver}}";
    const result = await server.ssh(
      `${driver} && ${image} >/dev/null && sudo docker run --rm --network none tiny /bin/true && echo ran`,
    );
    expect(result).toMatchObject({ code: 0, stdout: "overlay2\nran\n" });
  });
}
