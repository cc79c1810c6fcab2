# SPDX-License-Identifier: MIT
"""A breakpoint in a loop whose condition is false. QEMU's stub does not know conditions, so gdb stops
the guest for each hit, and a counter in the condition counts them. In our guest nothing stops; one worker
takes an order after the other, each of so many rounds."""

import re
import subprocess
import tempfile
import time

from contextlib import contextmanager
from pathlib import Path

from gdb_row import Row, median
from gdb_session import Gdb
from harness import SOURCE, image, wait_for

ORDER = "kernel/apps/shop/order.c"
RUNS = 3
QEMU_HITS = 1000
BAR = 500


def number_after(text):
    """The number behind a #define of the order's source."""
    return int(re.search(rf"{text}\s+(\d+)", (SOURCE / ORDER).read_text()).group(1))


def line_of(text):
    lines = (SOURCE / ORDER).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@contextmanager
def guest(*options, arguments=""):
    """A shop with more work than one vCPU can do; yields the socket that `options` name as SOCKET."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder) / "gdb"
        process = subprocess.Popen(
            [
                *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"),
                *("-no-reboot", "-M", "q35", "-accel", "tcg", "-m", "64", "-smp", "1"),
                *("-serial", f"file:{folder}/console"),
                *(option.replace("SOCKET", f"unix:{path},server=on,wait=off") for option in options),
                *("-kernel", str(image("shop")), "-append", f"load=100000 {arguments}"),
            ]
        )
        try:
            wait_for("gdb's socket", path.exists)
            time.sleep(3)
            yield path
        finally:
            process.kill()
            process.wait()


def ours():
    """Microseconds a round of the loop."""
    rounds = number_after("PACKING_ROUNDS")
    with guest("-serial", "SOCKET", arguments="gdb=ttyS1 workers=1") as path, Gdb(image("shop"), path) as gdb:
        gdb(f"break {ORDER}:{line_of('box = (box')} if $rsp == 1")
        gdb("break order_commit")
        gdb("continue", timeout=120)
        began = time.monotonic()
        gdb("continue", timeout=120)
        return 1e6 * (time.monotonic() - began) / rounds


def theirs():
    """Microseconds a hit with QEMU's stub. gdb takes no Ctrl-C while it is busy with them."""
    with guest("-gdb", "SOCKET") as path, Gdb(image("shop"), path) as gdb:
        gdb("set $hits = 0")
        gdb(f"break {ORDER}:{line_of('box = (box')} if ++$hits > {QEMU_HITS}")
        began = time.monotonic()
        gdb("continue", timeout=120)
        return 1e6 * (time.monotonic() - began) / QEMU_HITS


def measure():
    mine, qemu = median(ours, RUNS), median(theirs, RUNS)
    return [Row("breakpoint, condition false, a hit", "us", qemu, mine, f"{BAR} times", qemu / mine >= BAR)]
