# SPDX-License-Identifier: MIT
"""`next` over a line whose loop takes 10^6 instructions, from prompt to prompt."""

from gdb_debuggers import Ours, Theirs
from gdb_row import Row, median, seconds
from harness import SOURCE, Guest

SOURCE_FILE = "kernel/apps/drill.c"
INSTRUCTIONS = 1_000_000
A_ROUND = 7
BAR_MS = 50

# QEMU's stub takes a packet for each instruction, which is too long to wait for.
QEMU_INSTRUCTIONS = 7_000


def line_of(text):
    lines = (SOURCE / SOURCE_FILE).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def once(gdb):
    """Milliseconds of one."""
    text = gdb("continue", timeout=60)
    assert "drill_loop" in text, text
    took = 1000 * seconds(lambda: gdb("next", timeout=120))
    assert "drill_call" in gdb("frame"), text
    return took


def run(debugger, instructions, runs):
    arguments = [f"rounds={instructions // A_ROUND}"]
    with Guest("drill", "--cpus", "1", "--machine", "q35", arguments=arguments) as guest, debugger(
        guest
    ) as gdb:
        gdb(f"break {SOURCE_FILE}:{line_of('for (; left')}")
        gdb("continue", timeout=60)
        return median(lambda: once(gdb), runs)


def measure():
    mine = run(Ours, INSTRUCTIONS, 5)
    part = run(Theirs, QEMU_INSTRUCTIONS, 1)
    qemu = part * INSTRUCTIONS / QEMU_INSTRUCTIONS
    return [Row("next over 10^6 instructions", "ms", qemu, mine, f"{BAR_MS}", mine <= BAR_MS)]
