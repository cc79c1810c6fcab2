# SPDX-License-Identifier: MIT
"""How quick debugging is, our stub beside QEMU's own in one run, as medians.

    ./dev bench gdb [NAME...]

NAME is one of the measurements, tests/bench/gdb_NAME.py says what it does. All run without one; the
table at the end has what each came to.
"""

import importlib
import sys

from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "guest")]

import gdb_row  # noqa: E402
from harness import private_home  # noqa: E402

NAMES = ("condition", "dump", "packets", "threads", "loop", "tracepoint")


def main():
    names = sys.argv[1:] or NAMES
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        sys.exit(f"no measurement {unknown[0]!r}; there are: {' '.join(NAMES)}")
    rows = []
    with private_home():
        for name in names:
            print(f"measuring: {name}", flush=True)
            rows += importlib.import_module(f"gdb_{name}").measure()
    print(gdb_row.table(rows))


if __name__ == "__main__":
    main()
