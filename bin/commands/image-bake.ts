import { InvalidInputError } from "../../ops/errors";
import { command } from "./command";
import type { Result } from "./command";
import { onServers, serverOption } from "./each-server";
import { renderImages } from "./image-list";

export const imageBake = command({
  usage: "image bake [image]",
  describe: "Make golden images anew, with the packages of today",
  positional: { image: { describe: "its name, debian/13 [default: what the server bakes]" } },
  options: { server: serverOption },
  examples: [
    ["$0 image bake", "on every server; people's containers stay as they are"],
    ["$0 image bake debian/13 --server jump-2", "one image on one server"],
  ],
  async run({ image, server }, context): Promise<Result> {
    const { io, progress, services } = context;
    if (image !== undefined && !/^[a-z0-9][a-z0-9._/-]{0,63}$/.test(image)) {
      throw new InvalidInputError(`${JSON.stringify(image)} is not the name of an image`, {
        remedy: "npx containarium-ops image list",
      });
    }
    const target = await context.target();
    const { done, failures } = await onServers(server, target, context, async (one) => {
      let current = { title: "", since: performance.now() };
      const finish = () => {
        if (current.title !== "") progress.done(current.title, one.name, performance.now() - current.since);
      };
      const baked = await services.bakeImage(one, {
        image,
        signal: io.signal,
        onStep: (title) => {
          finish();
          current = { title, since: performance.now() };
          progress.doing(`${one.name}: ${title}...`);
        },
      });
      finish();
      return baked;
    });
    return { json: { images: done }, text: renderImages(done), failures, succeeded: done.length };
  },
});
