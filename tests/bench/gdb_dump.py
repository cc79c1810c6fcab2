# SPDX-License-Identifier: MIT
"""64 MB of the guest's memory into a file: `dump binary memory` through the stubs, of bytes that are not
zero and of zeroes, beside what gdb itself takes from a stub that answers at once; and `uni memory`."""

import pathlib
import tempfile

from gdb_debuggers import Ours, Theirs
from gdb_mock import Mock
from gdb_row import RATE, Row, median, seconds
from harness import Guest

MEGABYTES = 64
LENGTH = MEGABYTES << 20
RUNS = 3
UNI_RUNS = 5

# The guest has 256 MB, its image and heap at the start; what it never used is zero.
FULL = 128 << 20
ZERO = 192 << 20


def rate(gdb, address, path):
    """MB a second of one dump."""
    took = seconds(lambda: gdb(f"dump binary memory {path} {address} {address + LENGTH}", timeout=300))
    assert path.stat().st_size == LENGTH, path.stat().st_size
    return MEGABYTES / took


def fill(gdb, folder):
    """Makes the guest's memory at FULL one that run-length encoding does nothing for."""
    path = folder / "pattern"
    path.write_bytes(bytes(range(1, 251)) * 4200)
    piece = path.stat().st_size
    for at in range(FULL, FULL + LENGTH, piece):
        gdb(f"restore {path} binary {at} 0 {min(piece, FULL + LENGTH - at)}", timeout=300)


def uni_rate(gdb, path):
    """MB a second of `uni memory`, prompt to prompt."""
    took = seconds(lambda: gdb(f"uni memory {FULL} {LENGTH} {path}", timeout=300))
    assert path.stat().st_size == LENGTH
    return MEGABYTES / took


def measure():
    with tempfile.TemporaryDirectory(dir="/tmp") as name, Guest(
        "crowd", "--memory", "256", arguments=["threads=1"]
    ) as guest:
        folder = pathlib.Path(name)
        path = folder / "dump"
        with Ours(guest) as gdb:
            fill(gdb, folder)
            mine = median(lambda: rate(gdb, FULL, path), RUNS)
            mine_zero = median(lambda: rate(gdb, ZERO, path), RUNS)
            uni = median(lambda: uni_rate(gdb, path), UNI_RUNS)
        with Theirs(guest) as gdb:
            qemu = median(lambda: rate(gdb, FULL, path), RUNS)
            qemu_zero = median(lambda: rate(gdb, ZERO, path), RUNS)
        with Mock() as mock:
            floor = median(lambda: rate(mock.gdb, FULL, path), RUNS)
    return [
        Row("dump binary memory, 64 MB", RATE, qemu, mine, f"{0.9 * floor:.3g} (gdb ends at {floor:.3g})",
            mine >= 0.9 * floor),
        Row("the same, zeroes", RATE, qemu_zero, mine_zero, "3 times the former", mine_zero >= 3 * mine),
        Row("uni memory, 64 MB", RATE, None, uni, "1000", uni >= 1000),
    ]
