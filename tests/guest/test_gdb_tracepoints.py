# SPDX-License-Identifier: MIT
"""A stock gdb's tracepoints on a busy guest, which they never stop."""

import re

from gdb_session import Gdb
from harness import Guest, main, test


def shop():
    return Guest("shop", "--cpus", "2", arguments=["load=20000"])


def attach(guest):
    return Gdb(guest.image, guest.socket("gdb"))


@test
def variables_of_the_stub_stand_in_conditions():
    with shop() as guest, attach(guest) as gdb:
        text = gdb("info tvariables")
        for name in ("trace_timestamp", "us_cpu", "us_thread"):
            assert f"${name}" in text, text
        gdb("break shop_handle if $us_cpu == 1 && request->id % 8 == 3")
        for _ in range(3):
            text = gdb("continue")
            assert "hit Breakpoint 1, " in text, text
            assert gdb.value("$us_cpu") == "1"
            assert gdb.value("$us_thread") == str(gdb.thread())
            assert int(gdb.value("request->id")) % 8 == 3
        assert "(target evals)" in gdb("info breakpoints")


main()
