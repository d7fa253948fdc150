"""Tries to reach something and says what came back: `reach.py tcp|udp address port [own address]`, `reach.py unix path`,
`reach.py ping address`, `reach.py dhcp address message-type`.

Prints the first line of the answer (exit 0), or `refused: <why>` (exit 1).
"""

import socket
import sys

kind, *where = sys.argv[1:]
try:
    if kind == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(2)
        connection.connect(where[0])
    elif kind == "ping":
        connection = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        connection.settimeout(2)
        connection.connect((where[0], 0))
        # Echo request, identifier 1, sequence 1, and the checksum of just that.
        connection.send(b"\x08\x00\xf7\xfd\x00\x01\x00\x01")
    elif kind == "dhcp":
        connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        connection.settimeout(2)
        connection.connect((where[0], 67))
        connection.send(bytes(236) + b"\x63\x82\x53\x63" + bytes([53, 1, int(where[1])]))
    else:
        address, own = (where[0], int(where[1])), where[2:]
        family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
        connection.settimeout(2)
        if own:
            connection.bind((own[0], 0))
        connection.connect(address)
        if kind == "udp":
            connection.send(b"?")
    answer = connection.recv(200)
    if not answer:
        raise OSError("closed without an answer")
    print("pong" if kind == "ping" else answer.decode(errors="replace").splitlines()[0])
except OSError as error:
    print(f"refused: {error}")
    sys.exit(1)
