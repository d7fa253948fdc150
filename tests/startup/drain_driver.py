"""Runs a piece of containarium-drain below a folder: `drain_driver.py PROGRAM ROOT OPTIONS CODE`."""

import importlib.machinery
import importlib.util
import json
import sys

program, root, options, code = sys.argv[1:5]
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("containarium_drain", program)
drain = importlib.util.module_from_spec(importlib.util.spec_from_loader("containarium_drain", loader))
loader.exec_module(drain)
for name in ("RUN", "DATA", "INCUS_SOCKET"):
    setattr(drain, name, root + getattr(drain, name))
for name, value in json.loads(options).items():
    setattr(drain, name, value)
drain.killed = 0
drain.kill_containers = lambda: setattr(drain, "killed", drain.killed + 1)
drain.system_is_stopping = lambda: True
drain.tell_people = lambda: 1
exec(code, vars(drain))
