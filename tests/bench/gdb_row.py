# SPDX-License-Identifier: MIT
"""A line of the table that bench_gdb.py prints, and the medians in it."""

import dataclasses
import statistics
import time

RUNS = 5
RATE = "MB/s"


@dataclasses.dataclass
class Row:
    """`qemu` and `ours` are what was measured, in `unit`; None: QEMU's stub has nothing like it. `bar` is
    what ours was to come to, and `met` whether it did; a row without a bar explains another."""

    what: str
    unit: str
    qemu: float | None
    ours: float
    bar: str
    met: bool

    def cells(self):
        return (
            self.what,
            number(self.qemu, self.unit),
            number(self.ours, self.unit),
            self.ratio(),
            self.bar,
            "yes" if self.met else "NO",
        )

    def ratio(self):
        """How many times better ours is: less, but for rates."""
        if not self.qemu or not self.ours:
            return "-"
        return f"{self.ours / self.qemu if self.unit == RATE else self.qemu / self.ours:.3g}"


HEAD = ("what", "QEMU's", "ours", "times better", "bar", "met")


def number(value, unit):
    return "-" if value is None else f"{value:,.4g} {unit}"


def table(rows):
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    return "\n".join(
        line[0].ljust(widths[0]) + "".join(f"  {cell:>{width}}" for cell, width in zip(line[1:], widths[1:]))
        for line in lines
    )


def seconds(function):
    """How long a call took."""
    began = time.monotonic()
    function()
    return time.monotonic() - began


def median(function, runs=RUNS):
    """The median of what several calls returned."""
    return statistics.median(function() for _ in range(runs))
