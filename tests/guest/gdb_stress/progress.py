# SPDX-License-Identifier: MIT
"""How far a campaign is, for who looks at it."""

import sys
import time

# Seconds from one line to the next.
PERIOD = 0.2

shown = 0.0


def show(done, count):
    """Writes it over what it wrote before; nothing is left of it when all is done."""
    global shown
    now = time.monotonic()
    if not sys.stderr.isatty() or (done < count and now < shown + PERIOD):
        return
    shown = now
    print(f"\r\x1b[K{done:,} of {count:,}" if done < count else "\r\x1b[K", end="", file=sys.stderr, flush=True)


def counted(things):
    """The things, one after the other."""
    things = list(things)
    for number, thing in enumerate(things):
        show(number, len(things))
        yield thing
    show(len(things), len(things))
