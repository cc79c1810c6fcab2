# SPDX-License-Identifier: MIT
"""A guest with 1,000 threads: `uniscope gdb` up to the prompt, then `info threads`. gdb's own start, with
the image's symbols, is told apart. QEMU's stub knows no threads."""

import re
import time

from gdb_debuggers import Ours, PacketLog
from gdb_row import Row, median, seconds
from gdb_session import Gdb
from harness import Guest, wait_for

COUNT = 1000
BAR_MS = 300


def members(gdb):
    return len(re.findall(r'"member-\d+"', gdb("info threads", timeout=120)))


def all_there(guest):
    with Ours(guest) as gdb:
        return members(gdb) == COUNT


def start(guest):
    """Milliseconds of gdb up to its prompt, without a guest."""
    def run():
        with Gdb(guest.image):
            pass

    return 1000 * seconds(run)


def attach(guest):
    """Milliseconds."""
    began = time.monotonic()
    with Ours(guest) as gdb:
        assert members(gdb) == COUNT
        took = time.monotonic() - began
        gdb("detach")
    return 1000 * took


def packets(guest):
    with PacketLog() as log, Ours(guest, log.setting) as gdb:
        members(gdb)
        return log.count()


def measure():
    with Guest("crowd", "--cpus", "2", "--memory", "128") as guest:
        wait_for("every thread", lambda: all_there(guest), timeout=120)
        whole = median(lambda: attach(guest))
        alone = median(lambda: start(guest))
        sent = packets(guest)
    took = whole - alone
    return [
        Row("1,000 threads: attach, info threads", "ms", None, took, f"{BAR_MS}", took <= BAR_MS),
        Row("the same, packets", "packets", None, sent, "-", True),
        Row("before that, gdb's own start", "ms", None, alone, "-", True),
    ]
