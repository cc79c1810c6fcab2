# SPDX-License-Identifier: MIT
"""`uni attach`, which `uniscope gdb` begins with."""

import sys
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
        gdb.execute("define hook-kill\npython import uniscope_gdb.attach as a; a.ask_before_kill()\nend")
        begin = time.monotonic()
        with gdb.with_parameter("suppress-cli-notifications", True):
            gdb.execute(f"target remote {socket}", to_string=True)
        took = time.monotonic() - begin
        threads = int(guest.variable("kernel/thread_list.c", "all_count"))
        layout.line(
            f"Stopped {name} ({layout.count(len(guest.cpus()), 'vCPU')}, "
            f"{layout.count(threads, 'thread')}) in {layout.duration(int(took * 1e9))}; "
            "it goes on when you leave (`detach`) or type `c`."
        )
        gdb.execute("frame")


def ask_before_kill():
    """`kill` powers the guest off, and gdb does not ask after `set confirm off`."""
    if sys.stdin.isatty() and input("Power the guest off? (y or n) ").strip().lower() not in ("y", "yes"):
        raise gdb.GdbError("Not confirmed.")


COMMAND = Attach
