/** Part of the build: `node dist/bin/help/write-man-page.js FILE`. */
import fs from "node:fs";

import { commandTable } from "../commands";
import { readVersion } from "../version";
import { manPage } from "./man-page";

fs.writeFileSync(process.argv[2] ?? "containarium-ops.1", manPage(commandTable(), readVersion()));
