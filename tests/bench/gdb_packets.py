# SPDX-License-Identifier: MIT
"""Packets, each of which is a round trip: up to the prompt, and for the backtrace of a thread that stands
at the end of 30 calls, the first command after that. Each with what its users begin with."""

import re

from gdb_debuggers import Ours, PacketLog, Theirs
from gdb_row import Row
from harness import Guest

FRAMES = 30


def count(debugger, guest):
    """Packets of (the way to the prompt, the backtrace)."""
    with PacketLog() as log, debugger(guest, log.setting) as gdb:
        attached = log.count()
        gdb("tbreak drill_call")
        gdb("continue", timeout=60)
        before = log.count()
        text = gdb("backtrace", timeout=60)
        frames = len(re.findall(r"^#\d+", text, re.M))
        assert frames >= FRAMES, text
        walked = log.count() - before
        gdb("detach")
    return attached, walked


def measure():
    with Guest("drill", "--cpus", "1", "--machine", "q35") as guest:
        mine = count(Ours, guest)
        qemu = count(Theirs, guest)
    return [
        Row(what, "packets", theirs, ours, "a fifth", 5 * ours <= theirs)
        for what, theirs, ours in (("attach, to the prompt", qemu[0], mine[0]),
                                   (f"backtrace of {FRAMES} frames", qemu[1], mine[1]),
                                   ("attach and backtrace", sum(qemu), sum(mine)))
    ]
