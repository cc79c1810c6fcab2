# SPDX-License-Identifier: MIT
"""A short run of each campaign of ./dev stress gdb, the same one each time."""

from gdb_stress import kills, nmis, packets, places, plights, random_operations
from harness import main, test

SEED = 1


def run(campaign, count):
    try:
        print(f"# {campaign(count, SEED)}")
    except (AssertionError, OSError) as problem:
        raise AssertionError(f"seed {SEED}: {problem}") from None


@test
def random_operations_leave_no_trace():
    run(random_operations.campaign, 400)


@test
def a_debugger_without_manners_does_no_harm():
    run(packets.campaign, 3000)


@test
def gdb_dies_in_the_middle_of_anything():
    run(kills.kills, len(kills.MOMENTS))


@test
def breakpoints_in_busy_and_delicate_functions():
    run(places.campaign, 5)


@test
def gdb_comes_to_a_guest_in_trouble():
    run(plights.campaign, 1)


@test
def nmis_come_into_steps():
    run(nmis.campaign, 100)


main()
