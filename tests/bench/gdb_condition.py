# SPDX-License-Identifier: MIT
"""A breakpoint in a loop whose condition is false. QEMU's stub does not know conditions, so gdb stops
the guest for each hit, and a counter in the condition ends that. In our guest nothing stops."""

from gdb_debuggers import Ours, Theirs
from gdb_rounds import drilling, go_round, loop_start
from gdb_row import Row, median, seconds

RUNS = 3
QEMU_HITS = 1000
BAR = 500


def ours():
    """Microseconds a hit."""
    with drilling(Ours) as gdb:
        gdb(f"break *{loop_start(gdb)} if $rsp == 1")
        return median(lambda: go_round(gdb)[1], RUNS)


def theirs_once(gdb):
    """gdb takes no Ctrl-C while it is busy with the hits."""
    gdb("set $hits = 0")
    return 1e6 * seconds(lambda: gdb("continue", timeout=120)) / QEMU_HITS


def theirs():
    with drilling(Theirs) as gdb:
        gdb("set $hits = 0")
        gdb(f"break *{loop_start(gdb)} if ++$hits > {QEMU_HITS}")
        return median(lambda: theirs_once(gdb), RUNS)


def measure():
    mine, qemu = ours(), theirs()
    return [Row("breakpoint, condition false, a hit", "us", qemu, mine, f"{BAR} times", qemu / mine >= BAR)]
