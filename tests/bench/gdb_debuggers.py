# SPDX-License-Identifier: MIT
"""gdb on a guest under `uniscope run`, as its users start it: through its own stub with `uniscope gdb`,
and through QEMU's with gdb alone."""

import pathlib
import re
import tempfile

from gdb_session import OPTIONS, Gdb
from harness import UNISCOPE


class Ours(Gdb):
    """`uniscope gdb NAME`, with whatever it sets and loads, at its first prompt."""

    def __init__(self, guest, *settings):
        options = [w for setting in (*OPTIONS, *settings) for w in ("-iex", f"set {setting}")]
        self.greeting = self.start([UNISCOPE, "gdb", guest.name, "--", "-nx", *options], timeout=60)


class Theirs(Gdb):
    """gdb with nothing set, on QEMU's stub in the same guest, at its first prompt."""

    def __init__(self, guest, *settings):
        guest.uniscope("gdb", guest.name, "--via", "qemu", "--", "-nx", "-batch")
        super().__init__(guest.image)
        for setting in settings:
            self(f"set {setting}")
        self.greeting = self(f"target remote {guest.socket('qemu')}")


class PacketLog:
    """Counts the packets that gdb sends: a file that it writes all of them to."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name) / "packets"
        self.setting = f"remotelogfile {self.path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def count(self):
        return len(re.findall(r"^w (?:\+)?\$", self.path.read_text(errors="replace"), re.M))
