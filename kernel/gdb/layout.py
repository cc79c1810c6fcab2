# SPDX-License-Identifier: MIT
"""Numbers with units, and columns."""

import gdb


def duration(ns):
    for unit, one in (("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if ns >= one:
            return f"{ns / one:.{0 if ns >= 10 * one else 1}f} {unit}"
    return f"{ns} ns"


def size(length):
    for unit, one in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if length >= one:
            return f"{length / one:.1f} {unit}"
    return f"{length} B"


def count(number, noun):
    return f"{number} {noun}" + ("" if number == 1 else "s")


def table(header, rows, right=()):
    """Prints rows of texts in columns; those in `right` are numbers."""
    rows = [header, *rows] if header else list(rows)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths))
        ]
        gdb.write("  ".join(cells).rstrip() + "\n")


def line(words):
    gdb.write(words + "\n")
