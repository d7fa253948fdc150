"""
Answers on Incus' socket with the instances of a JSON file, read anew for each request: `fake_incus.py socket file`. One that
is `unlisted` is only named in the list, as one that Incus cannot read.
"""

import http.server
import json
import os
import socketserver
import sys

socket_path, file_path = sys.argv[1:]


def beside(name):
    """What is in a file beside that of the instances, if there is one."""
    try:
        with open(os.path.join(os.path.dirname(file_path), name), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


seen = set()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/1.0/instances?recursion=1":
            with open(file_path, encoding="utf-8") as file:
                instances = json.load(file)
            # Removed by somebody as soon as they were listed.
            instances = [one for one in instances if not one.get("vanishes") or one["name"] not in seen]
            seen.update(one["name"] for one in instances)
            named = [{"name": one["name"], "status": "Error", "config": None} if one.get("unlisted") else one for one in instances]
            answer = {"type": "sync", "status_code": 200, "metadata": named}
        elif self.path == "/1.0/instances":
            with open(file_path, encoding="utf-8") as file:
                urls = [f"/1.0/instances/{instance['name']}" for instance in json.load(file)]
            answer = {"type": "sync", "status_code": 200, "metadata": urls}
        elif self.path.startswith("/1.0/instances/"):
            with open(file_path, encoding="utf-8") as file:
                one = next((one for one in json.load(file) if one["name"] == self.path.split("/")[-1] and "config" in one), None)
            answer = {"type": "sync", "status_code": 200, "metadata": one} if one else {"type": "error", "error_code": 500, "error": "busy"}
        elif self.path == "/1.0/storage-pools/default/resources":
            answer = {"type": "sync", "status_code": 200, "metadata": {"space": {"used": 7, "total": 42}}}
        elif self.path == "/1.0/operations?recursion=1":
            answer = {"type": "sync", "status_code": 200, "metadata": beside("incus-operations.json")}
        elif self.path == "/1.0":
            config = beside("incus-config.json")
            answer = {"type": "sync", "status_code": 200, "metadata": {"api_version": "1.0", "config": config}}
        else:
            answer = {"type": "error", "error_code": 404, "error": "not found"}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass


if os.path.exists(socket_path):
    os.unlink(socket_path)
server = socketserver.ThreadingUnixStreamServer(socket_path, Handler)
print("ready", flush=True)
server.serve_forever()
