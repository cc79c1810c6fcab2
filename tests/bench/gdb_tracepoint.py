# SPDX-License-Identifier: MIT
"""A tracepoint that collects all registers, in a loop that counts down how often it went round. QEMU's
stub has none."""

import re
import time

from gdb_debuggers import Ours
from gdb_row import Row, median
from harness import Guest

ROUNDS = 1 << 40
RUNS = 3
SECONDS = 3
BAR_US = 2


def loop_start(gdb):
    """The address that the loop jumps back to."""
    back = re.findall(r"\bj\w+ +(0x[0-9a-f]+)", gdb("disassemble drill_loop"))
    return min(back, key=lambda address: int(address, 16))


def once(gdb):
    """Microseconds a round."""
    gdb("tstart")
    before = int(gdb.value("$rdi"))
    began = time.monotonic()
    gdb.send("continue")
    time.sleep(SECONDS)
    text = gdb.interrupt()
    took = time.monotonic() - began
    assert "SIGINT" in text and "drill_loop" in text, text
    rounds = before - int(gdb.value("$rdi"))
    gdb("tstop")
    status = gdb("tstatus")
    assert int(re.search(r"of (\d+) created", status).group(1)) > 0.9 * rounds, status
    return 1e6 * took / rounds


def a_hit(kind):
    with Guest("drill", "--cpus", "1", arguments=[f"rounds={ROUNDS}"]) as guest, Ours(guest) as gdb:
        gdb("set circular-trace-buffer on")
        gdb(f"{kind} *{loop_start(gdb)}")
        gdb("actions\ncollect $regs\nend")
        return median(lambda: once(gdb), RUNS)


def measure():
    rows = []
    for kind, name in (("trace", "tracepoint"), ("ftrace", "fast tracepoint")):
        mine = a_hit(kind)
        rows.append(Row(f"{name} that collects $regs, a hit", "us", None, mine, f"{BAR_US}", mine <= BAR_US))
    return rows
