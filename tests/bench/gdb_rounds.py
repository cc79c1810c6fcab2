# SPDX-License-Identifier: MIT
"""A drill that goes round one loop for as long as it is left to, and counts down in $rdi as it does:
what a place in that loop costs when it is passed again and again."""

import contextlib
import re
import time

from harness import Guest

ROUNDS = 1 << 40
SECONDS = 3


@contextlib.contextmanager
def drilling(debugger):
    """gdb on such a guest."""
    arguments = [f"rounds={ROUNDS}"]
    with Guest("drill", "--cpus", "1", "--machine", "q35", arguments=arguments) as guest, debugger(
        guest
    ) as gdb:
        yield gdb


def loop_start(gdb):
    """The address that the loop jumps back to."""
    back = re.findall(r"\bj\w+ +(0x[0-9a-f]+)", gdb("disassemble drill_loop"))
    return min(back, key=lambda address: int(address, 16))


def go_round(gdb):
    """How many rounds it went in some seconds, and how many microseconds each took."""
    before = int(gdb.value("$rdi"))
    began = time.monotonic()
    gdb.send("continue")
    time.sleep(SECONDS)
    text = gdb.interrupt()
    took = time.monotonic() - began
    assert "SIGINT" in text and "drill_loop" in text, text
    rounds = before - int(gdb.value("$rdi"))
    return rounds, 1e6 * took / rounds
