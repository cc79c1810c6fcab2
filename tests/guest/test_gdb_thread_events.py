# SPDX-License-Identifier: MIT
"""Threads that begin and end, told to a debugger that asked for it."""

import re

from gdb_session import Gdb, instruction
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


@test
def the_end_of_a_thread_that_goes_alone_gives_the_others_back():
    with Guest("selftest", arguments=["gdbwait"]) as guest:
        with Gdb(guest.image, guest.socket("gdb")) as gdb:
            gdb("tbreak thread_exit")
            gdb("continue")
            ends = gdb.thread()
            gdb("set scheduler-locking on")
            assert "No unwaited-for children left." in gdb("continue")
            rows = gdb("info threads")
            assert "has terminated" in rows, rows
            assert not re.search(rf"^[* ] +{ends} ", rows, re.M), rows
            gdb("set scheduler-locking off")
            gdb(f"thread {re.search('^ +([0-9]+) ', rows, re.M).group(1)}")
            gdb("tbreak thread_exit")
            assert "hit Temporary breakpoint 2, thread_exit" in gdb("continue")
            assert gdb.thread() != ends


@test
def a_thread_that_goes_alone_gets_the_spinlock_that_another_holds():
    """One that gdb holds in the middle of it gets out of there first."""
    with Guest("selftest", "--cpus", "2", arguments=["gdbwait"]) as guest:
        with Gdb(guest.image, guest.socket("gdb")) as gdb:
            locked = instruction(gdb, "thread_join", "call .*<spin_lock>") + 5
            gdb(f"break *{locked} if thread->state != THREAD_EXITED")
            assert "hit Breakpoint" in gdb("continue")
            assert gdb.value("thread->exit_queue.lock.taken") == "1"
            joined = re.search(rf"^ +(\d+) +Thread 1\.{gdb.value('thread->id')} ", gdb("info threads"), re.M)
            gdb("delete")
            gdb("set scheduler-locking on")
            gdb(f"thread {joined.group(1)}")
            assert "No unwaited-for children left." in gdb("continue")
            gdb("detach")


main()
