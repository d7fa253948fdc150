"use strict";

// What QEMU starts for each connection of the VM to the metadata server's address: stdin and stdout are the connection.
const socket = require("node:net").connect(Number(process.argv[2]), "127.0.0.1");
process.stdin.pipe(socket);
socket.pipe(process.stdout);
socket.on("error", () => process.exit(1));
