# SPDX-License-Identifier: MIT
"""What the campaigns know of an image, and the RAM of a guest that runs it."""

import json
import pathlib
import re

from harness import run


class Image:
    """Functions and text of an image, by binutils."""

    def __init__(self, path):
        self.symbols = {}
        self.functions = []
        for line in run("nm", "--defined-only", path).stdout.splitlines():
            address, kind, name = line.split(" ", 2)
            self.symbols[name] = int(address, 16)
            if kind in "tT" and not name.endswith(("_start", "_end")):
                self.functions.append(int(address, 16))
        sections = run("readelf", "-SW", path).stdout
        found = re.search(r"\.text +PROGBITS +(\w+) (\w+) (\w+)", sections)
        self.text_start, offset, length = (int(word, 16) for word in found.groups())
        self.text = pathlib.Path(path).read_bytes()[offset : offset + length]
        self.text_end = self.text_start + length
        # What lies behind it is room for code that is made at run time.
        self.functions = [place for place in self.functions if place < self.text_end]

    def is_stub(self, address):
        """Where the stub takes no breakpoints."""
        return self.symbols["kernel_stub_text_start"] <= address < self.symbols["kernel_stub_text_end"]


def held_memory(guest, address, length):
    """Memory of a guest that runs or not, from the RAM that its supervisor shares with QEMU."""
    pid = json.loads((guest.runtime / "guest.json").read_text())["qemu_pid"]
    words = pathlib.Path(f"/proc/{pid}/cmdline").read_text()
    number = re.search(r"mem-path=/proc/self/fd/(\d+)", words).group(1)
    with open(f"/proc/{pid}/fd/{number}", "rb") as ram:
        ram.seek(address)
        return ram.read(length)


def differences(a, b, base):
    """Where two texts differ, in words."""
    places = [i for i in range(min(len(a), len(b))) if a[i] != b[i]]
    words = [f"{base + i:#x}: {a[i]:02x} became {b[i]:02x}" for i in places[:10]]
    return f"{len(places)} bytes: " + ", ".join(words)
