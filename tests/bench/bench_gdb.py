# SPDX-License-Identifier: MIT
"""What a breakpoint costs whose condition is false: our stub beside QEMU's own, in one run.

    ./dev bench gdb [SECONDS]

One vCPU under TCG runs the shop's packing loop with a breakpoint in it. QEMU's stub does not know
conditions, so gdb stops the guest for each hit, and a counter in the condition counts them. In our
guest nothing stops, and the loop's own results tell how often it went round.
"""

import contextlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "guest")]

from gdb_session import Gdb  # noqa: E402
from harness import SOURCE, image, wait_for  # noqa: E402

ORDER = "kernel/apps/shop/order.c"
RUNS = 3
QEMU_HITS = 1000


def number_after(text):
    """The number behind a #define of the order's source."""
    return int(re.search(rf"{text}\s+(\d+)", (SOURCE / ORDER).read_text()).group(1))


def line_of(text):
    lines = (SOURCE / ORDER).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@contextlib.contextmanager
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


def run_for(gdb, seconds):
    """Lets the guest run; the seconds that it did."""
    began = time.monotonic()
    gdb.send("continue")
    time.sleep(seconds)
    took = time.monotonic() - began
    gdb.interrupt()
    return took


def ours(seconds, condition):
    """Rounds of the loop a second, with the breakpoint if there is a condition."""
    rounds = number_after("PACKING_ROUNDS")
    with guest("-serial", "SOCKET", arguments="gdb=ttyS1") as path, Gdb(image("shop"), path) as gdb:
        if condition:
            gdb(f"break {ORDER}:{line_of('box = (box')} if {condition}")
        before = int(gdb.value("total.orders"))
        took = run_for(gdb, seconds)
        return (int(gdb.value("total.orders")) - before) * rounds / took


def theirs(hits):
    """Hits a second with QEMU's stub. gdb takes no Ctrl-C while it is busy with them."""
    with guest("-gdb", "SOCKET") as path, Gdb(image("shop"), path) as gdb:
        gdb("set $hits = 0")
        gdb(f"break {ORDER}:{line_of('box = (box')} if ++$hits > {hits}")
        began = time.monotonic()
        gdb("continue", timeout=120)
        return hits / (time.monotonic() - began)


def row(name, values):
    middle = statistics.median(values)
    print(f"{name:36} {middle:12,.0f} {1e6 / middle:12.3f}")
    return middle


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{'a false condition in a loop':36} {'rounds/s':>12} {'us a round':>12}")
    row("no breakpoint", [ours(seconds, None) for _ in range(RUNS)])
    mine = row("Uniscope", [ours(seconds, "$rsp == 1") for _ in range(RUNS)])
    qemu = row("QEMU's stub", [theirs(QEMU_HITS) for _ in range(RUNS)])
    print(f"{mine / qemu:.0f} times as fast")


if __name__ == "__main__":
    main()
