# SPDX-License-Identifier: MIT
"""Debugs busy guests without mercy: ./dev stress gdb NAME [COUNT] [--seed SEED]."""

import argparse
import sys
import time

from gdb_stress import kills, packets, places, plights, random_operations
from harness import private_home

# name: what runs it, and how much of it there is by default
CAMPAIGNS = {
    "operations": (random_operations.campaign, 10000),
    "packets": (packets.campaign, 1000000),
    "kills": (kills.kills, 160),
    "attaches": (kills.attaches, 100),
    "places": (places.campaign, 100),
    "plights": (plights.campaign, 1),
}


def main():
    names = [f"  {name:12} {run.__doc__} ({count})" for name, (run, count) in CAMPAIGNS.items()]
    parser = argparse.ArgumentParser(
        prog="./dev stress gdb",
        description=__doc__ + "\n\n" + "\n".join(names),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=CAMPAIGNS, metavar="NAME")
    parser.add_argument("count", nargs="?", type=int)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    run, usual = CAMPAIGNS[arguments.name]
    print(f"{arguments.name}: seed {arguments.seed}", flush=True)
    start = time.monotonic()
    with private_home():
        try:
            print(run(arguments.count or usual, arguments.seed))
        except AssertionError as problem:
            print(f"FAILED with seed {arguments.seed}: {problem}")
            return 1
    print(f"passed in {time.monotonic() - start:.0f} s")
    return 0


sys.exit(main())
