# SPDX-License-Identifier: Apache-2.0
"""Requests at the control socket, without the time that a program takes to start (docs/control.md)."""

import json
import socket
import struct

import rig


def ask(path, command, **arguments):
    """The reply to one request; one that is refused ends the part."""
    body = json.dumps({"command": command, **arguments}).encode()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(60)
        sock.connect(path)
        sock.sendall(struct.pack("!I", len(body)) + body)
        reply = b""
        while len(reply) < 4 or len(reply) < 4 + struct.unpack("!I", reply[:4])[0]:
            more = sock.recv(1 << 20)
            if not more:
                break
            reply += more
    found = json.loads(reply[4:])
    if not found["ok"]:
        raise rig.Missing(f"{command}: {found}")
    return found
