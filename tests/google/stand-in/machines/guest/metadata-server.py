#!/usr/bin/python3
"""The metadata server of one machine, inside of it. What it serves lies in a folder that the machine's host shares with
it: attributes.json is read anew for every request, guest.json takes what the machine says of itself."""
import http.server, json, os, sys, urllib.parse

FOLDER = "/var/lib/google-stand-in"
ATTRIBUTES = "/computeMetadata/v1/instance/attributes/"
GUEST = "/computeMetadata/v1/instance/guest-attributes/"


def read(name):
    try:
        with open(os.path.join(FOLDER, name)) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, code, text=""):
        body = text.encode()
        self.send_response(code)
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def allowed(self):
        # As at Google: a request that was talked into coming here does not have the header.
        if self.headers.get("Metadata-Flavor") == "Google" and "X-Forwarded-For" not in self.headers:
            return True
        self.answer(403)
        return False

    def do_GET(self):
        path = urllib.parse.unquote(self.path.split("?")[0])
        if not self.allowed():
            return
        if path.startswith(GUEST):
            value = read("guest.json").get(path[len(GUEST):])
        else:
            value = read("attributes.json").get(path[len(ATTRIBUTES):]) if path.startswith(ATTRIBUTES) else None
        self.answer(404) if value is None else self.answer(200, value)

    def do_PUT(self):
        value = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        path = urllib.parse.unquote(self.path)
        if not self.allowed():
            return
        if not path.startswith(GUEST) or read("attributes.json").get("enable-guest-attributes") != "TRUE":
            return self.answer(403)
        values = {**read("guest.json"), path[len(GUEST):]: value}
        target = os.path.join(FOLDER, "guest.json")
        with open(target + ".new", "w") as file:
            json.dump(values, file)
        os.rename(target + ".new", target)
        self.answer(200)

    def log_message(self, *_):
        pass


# One request at a time: there is one machine to serve.
http.server.HTTPServer((sys.argv[1], 80), Handler).serve_forever()
