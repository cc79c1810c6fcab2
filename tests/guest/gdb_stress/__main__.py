# SPDX-License-Identifier: MIT
"""Debugs busy guests without mercy: ./dev stress gdb NAME [COUNT] [--seed SEED]."""

import argparse
import shutil
import signal
import sys
import time

from gdb_stress import kills, nmis, packets, places, plights, random_operations
from harness import BUILD, private_home

LEFT = BUILD / "stress"  # dumps

# name: what runs it, and how much of it there is by default
CAMPAIGNS = {
    "operations": (random_operations.campaign, 10000),
    "packets": (packets.campaign, 1000000),
    "kills": (kills.kills, 190),
    "attaches": (kills.attaches, 100),
    "places": (places.campaign, 100),
    "plights": (plights.campaign, 1),
    "nmis": (nmis.campaign, 2000),
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
    # Guests end with the blocks that they are for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with private_home() as home:
        try:
            print(run(arguments.count or usual, arguments.seed))
        except AssertionError as problem:
            print(f"FAILED with seed {arguments.seed}: {problem}")
            shutil.rmtree(LEFT, ignore_errors=True)
            if any((home / "state").iterdir()):
                shutil.copytree(home / "state", LEFT)
                print(f"What the guest left is in {LEFT}")
            return 1
    print(f"passed in {time.monotonic() - start:.0f} s")
    return 0


sys.exit(main())
