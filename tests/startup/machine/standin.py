"""Answers on TCP ports with who it is, so that a test sees whether a connection really got through.

Arguments: `address:port ...` or `unix:/path`. Prints `ready` once all of them listen. UDP on the same address and port
answers likewise.
"""

import os
import socket
import socketserver
import sys
import threading


def serve(name):
    greeting = f"standin {name}\n".encode()

    class Stream(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(greeting)

    class Datagram(socketserver.BaseRequestHandler):
        def handle(self):
            self.request[1].sendto(greeting, self.client_address)

    if name.startswith("unix:"):
        path = name[len("unix:") :]
        if os.path.exists(path):
            os.unlink(path)
        servers = [socketserver.ThreadingUnixStreamServer(path, Stream)]
        os.chmod(path, 0o777)
    else:
        host, _, port = name.rpartition(":")
        socketserver.TCPServer.allow_reuse_address = True
        socketserver.TCPServer.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        servers = [
            socketserver.ThreadingTCPServer((host, int(port)), Stream),
            socketserver.ThreadingUDPServer((host, int(port)), Datagram),
        ]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()


for argument in sys.argv[1:]:
    serve(argument)
print("ready", flush=True)
threading.Event().wait()
