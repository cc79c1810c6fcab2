# SPDX-License-Identifier: MIT
"""Threads that begin and end, told to a debugger that asked for it."""

import re

from harness import Guest, main, test
from remote import Remote, Stop


def events(remote, done):
    """Lets the guest go from one event to the next; ids that began, ids that ended."""
    began, ended = [], []
    while not done(began, ended):
        reply = remote.ask(b"vCont;c")
        if found := re.fullmatch(rb"w[0-9a-f]{2};([0-9a-f]+)", reply):
            ended.append(int(found.group(1), 16))
        else:
            stop = Stop(reply)
            assert stop.signal == 5 and b"create" in stop.pairs, reply
            began.append(stop.thread)
        assert (began[-1] if reply[:1] == b"T" else ended[-1]) in remote.threads()
    return began, ended


@test
def threads_are_told_of_as_they_begin_and_end():
    with Guest("selftest", arguments=["gdbwait"]) as guest:
        with Remote(guest.socket("gdb")) as remote:
            remote.stop()
            remote.ok(b"QThreadEvents:1")
            began, ended = events(remote, lambda began, ended: len(set(began) & set(ended)) >= 5)
            assert len(set(began)) == len(began), began
            assert len(set(ended)) == len(ended), ended
            remote.ok(b"QThreadEvents:0")
            remote.ok(b"D")


main()
