# SPDX-License-Identifier: MIT
"""A stub that has every answer ready: what is left is gdb's own time. It reads the same bytes from every
address."""

import os
import re
import socket
import tempfile
import threading

from gdb_session import Gdb
from harness import image

PIECE = 0x8000
PATTERN = bytes(range(1, 251)) * (PIECE // 250 + 1)
ANSWERS = {
    b"qSupported": b"PacketSize=10000;QStartNoAckMode+",
    b"QStartNoAckMode": b"OK",
    b"?": b"T05thread:1;",
    b"qfThreadInfo": b"m1",
    b"qsThreadInfo": b"l",
    b"qAttached": b"1",
    b"H": b"OK",
    b"g": b"0" * 2 * 544,
}


def frame(payload):
    return b"$%s#%02x" % (payload, sum(payload) & 255)


class Mock:
    def __init__(self):
        self.memory = {}
        self.folder = tempfile.TemporaryDirectory(dir="/tmp")
        path = os.path.join(self.folder.name, "gdb")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()
        self.gdb = Gdb(image("hello"), path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.gdb.kill()
        self.listener.close()
        self.folder.cleanup()

    def serve(self):
        connection = self.listener.accept()[0]
        rest = b""
        while piece := connection.recv(4096):
            rest += piece
            while found := re.search(rb"\$([^#]*)#..", rest, re.S):
                acks = b"" if found.group(1)[:1] == b"m" else b"+"
                rest = rest[found.end():]
                connection.sendall(acks + self.answer(found.group(1)))

    def answer(self, packet):
        if packet.startswith(b"m"):
            length = int(packet.partition(b",")[2], 16)
            if length not in self.memory:
                self.memory[length] = frame(PATTERN[:length].hex().encode())
            return self.memory[length]
        return frame(next((a for name, a in ANSWERS.items() if packet.startswith(name)), b""))
