# SPDX-License-Identifier: MIT
"""`uni attach`, which `uniscope gdb` begins with."""

import time

import gdb

from . import guest, layout
from .command import Command


class Attach(Command):
    """Attach to a guest: uni attach NAME SOCKET

    Connects to the stub at the socket, which stops the guest, and says what was found. `uniscope gdb
    NAME` does this."""

    name = "attach"
    arguments_max = 2
    needs_guest = False

    def run(self, *words):
        if len(words) != 2:
            raise guest.Missing("uni attach NAME SOCKET; use `uniscope gdb NAME`")
        name, socket = words
        begin = time.monotonic()
        place = gdb.execute(f"target remote {socket}", to_string=True)
        took = time.monotonic() - begin
        threads = len(gdb.selected_inferior().threads())
        layout.line(
            f"Stopped {name} ({layout.count(len(guest.cpus()), 'vCPU')}, "
            f"{layout.count(threads, 'thread')}) in {layout.duration(int(took * 1e9))}; "
            "it goes on when you leave (`detach`) or type `c`."
        )
        gdb.write("".join(row + "\n" for row in place.splitlines() if "Remote debugging" not in row))


COMMAND = Attach
