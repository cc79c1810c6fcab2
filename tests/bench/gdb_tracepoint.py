# SPDX-License-Identifier: MIT
"""A tracepoint that collects all registers, in a loop. QEMU's stub has none."""

import re

from gdb_debuggers import Ours
from gdb_rounds import drilling, go_round, loop_start
from gdb_row import Row, median

RUNS = 3
BAR_US = 2


def once(gdb):
    """Microseconds a hit."""
    gdb("tstart")
    rounds, took_us = go_round(gdb)
    gdb("tstop")
    status = gdb("tstatus")
    assert int(re.search(r"of (\d+) created", status).group(1)) > 0.9 * rounds, status
    return took_us


def a_hit(kind):
    with drilling(Ours) as gdb:
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
