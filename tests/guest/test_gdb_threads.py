# SPDX-License-Identifier: MIT
"""gdb and a thousand threads, threads that come while it looks, and one that it records."""

import re

from gdb_session import Gdb
from harness import Guest, main, test, wait_for

TRIES = 10
COUNT = 1000


def attach(guest):
    return Gdb(guest.image, guest.socket("gdb"))


def members(gdb):
    return len(re.findall(r'"member-\d+"', gdb("info threads", timeout=60)))


def all_there(guest):
    return "all there" in guest.uniscope("console", guest.name).stdout


@test
def a_thousand_threads_are_listed():
    for cpus in ("2", "16"):
        with Guest("crowd", "--machine", "q35", "--cpus", cpus, "--memory", "128") as guest:
            wait_for("every thread", lambda: all_there(guest), timeout=80)
            with attach(guest) as gdb:
                assert members(gdb) == COUNT
                assert "member-999" in gdb("thread find member-999")
                gdb("detach")


@test
def threads_that_came_are_told_at_the_next_stop():
    with Guest("crowd", "--memory", "128", arguments=["gdbwait"]) as guest, attach(guest) as gdb:
        gdb("tbreak thread_list_add")
        gdb("continue")
        gdb("break thread_create if (int)options->stack_size == 8192")
        seen = 0
        for _ in range(3):
            gdb("ignore 2 4")
            text = gdb("continue", timeout=60)
            assert "hit Breakpoint 2" in text, text
            count = members(gdb)
            assert count > seen or not seen, f"{seen} became {count}"
            assert len(re.findall(r"\[New Thread 1\.\d+\]", text)) >= count - seen, text
            seen = count
        assert seen >= 10, seen


def drillers(gdb):
    """The threads of the drill, by their numbers."""
    rows = re.findall(r'^[* ] +(\d+) +Thread \S+ "(?:driller-\d|main)"', gdb("info threads"), re.M)
    return [int(row) for row in rows]


@test
def each_thread_has_its_own_of_a_thread_local_variable():
    with Guest("drill", "--cpus", "2", arguments=["threads=2", "rounds=1000"]) as guest:
        guest.wait_for_thread("driller-1")
        with Gdb(guest.image, guest.socket("gdb")) as gdb:
            gdb("tbreak drill_call if drill_calls > 100")
            gdb("continue")
            numbers = drillers(gdb)
            assert len(numbers) == 3, numbers
            own = {}
            for number in numbers:
                gdb(f"thread {number}")
                own[gdb.value("&drill_own_calls")] = int(gdb.value("drill_own_calls"))
            total = int(gdb.value("drill_calls"))
            # Each may stand between the one count and the other.
            assert len(own) == 3 and total - 3 <= sum(own.values()) <= total, f"{own} of {total}"
            assert re.search(r'^[* ] +1 +Thread \S+ "idle/0"', gdb("info threads"), re.M)
            gdb("thread 1")
            assert "Cannot find thread-local storage" in gdb("print drill_own_calls")
            gdb("detach")


def states(gdb):
    """Of each driller the calls that it has made, and where it stands."""
    found = {}
    for number in drillers(gdb):
        gdb(f"thread {number}")
        found[number] = [gdb.value(name) for name in ("drill_own_calls", "$pc", "$sp", "$rax")]
    return found


def take_turns(gdb):
    """The threads of six hits, and how many slices ended meanwhile."""
    before = slices(gdb)
    seen = []
    for _ in range(6):
        assert "hit Breakpoint" in gdb("continue", timeout=60)
        seen.append(gdb.thread())
    return seen, slices(gdb) - before


def slices(gdb):
    """That ended since the tracepoint at their end was laid."""
    found = re.search(r"Collected (\d+) trace frame", gdb("tstatus"))
    assert found, gdb("tstatus")
    return int(found.group(1))


@test
def threads_at_one_breakpoint_take_turns():
    """On one CPU, where the time of a slice passes only while the guest runs."""
    with Guest("drill", "--cpus", "1", arguments=["threads=2", "rounds=10"]) as guest:
        guest.wait_for_thread("driller-1")
        with Gdb(guest.image, guest.socket("gdb")) as gdb:
            gdb("break drill_call")
            gdb("trace slice_over")
            gdb("tstart")
            for _ in range(TRIES):
                seen, ended = take_turns(gdb)
                if not ended:
                    break
            assert not ended, "a slice ended each time: one whose slice does misses a turn"
            assert all(len(set(seen[i : i + 3])) == 3 for i in range(4)), seen


@test
def one_thread_goes_alone_whether_it_has_a_cpu_or_not():
    for cpus in ("1", "2"):
        arguments = ["threads=3", "rounds=1000"]
        with Guest("drill", "--cpus", cpus, arguments=arguments) as guest:
            guest.wait_for_thread("driller-2")
            with Gdb(guest.image, guest.socket("gdb")) as gdb:
                gdb("tbreak drill_call if drill_own_calls > 2")
                gdb("continue", timeout=60)
                gdb("set scheduler-locking on")
                gdb("break drill_call")
                start = drillers(gdb)
                assert len(start) == 4, start
                for number in start:
                    before = states(gdb)
                    gdb(f"thread {number}")
                    for _ in range(5):
                        text = gdb("continue", timeout=60)
                        assert "hit Breakpoint" in text and gdb.thread() == number, text
                    gdb("stepi 3")
                    after = states(gdb)
                    moved = {other for other in before if before[other] != after[other]}
                    assert moved == {number}, f"{number}: {before} became {after}"
                    assert int(after[number][0]) - int(before[number][0]) >= 4
                gdb("delete")
                gdb("set scheduler-locking off")
                gdb(f"thread {min(start)}")
                for number in start:
                    gdb(f"tbreak drill_call thread {number}")
                for _ in start:
                    assert "hit Temporary breakpoint" in gdb("continue", timeout=60)
                assert gdb.value("drill_wrong") == "0"
                gdb("detach")


@test
def an_idle_thread_that_gdb_wrote_to_stays_where_it_is():
    """Idle CPUs go on while one thread goes alone; but what gdb wrote it may want back as it was."""
    with Guest("drill", "--cpus", "2", arguments=["rounds=1000"]) as guest:
        guest.wait_for_thread("main")
        with Gdb(guest.image, guest.socket("gdb")) as gdb:
            gdb("break drill_call if drill_calls > 100")
            found = None
            while not found:  # the other CPU may be at the console or the network, now and then
                assert "hit Breakpoint" in gdb("continue", timeout=60)
                found = re.search(r'^[* ] +(\d+) .*"idle/(\d)" \(running', gdb("info threads"), re.M)
            (idle, cpu), main = found.groups(), gdb.thread()

            def state():
                gdb(f"thread {idle}")
                return [gdb.value(name) for name in ("$pc", "$sp", "$r15", f"cpus[{cpu}].irq_count")]

            gdb(f"thread {idle}")
            gdb("set var $r15 = $r15 + 1")
            before = state()
            gdb(f"thread {main}")
            gdb("set scheduler-locking on")
            for _ in range(20):
                assert "hit Breakpoint" in gdb("continue", timeout=60)
            assert state() == before
            gdb("detach")
        with Gdb(guest.image, guest.socket("gdb")) as gdb:
            gdb("break drill_call")
            assert "hit Breakpoint" in gdb("continue", timeout=60)
            assert gdb.value("drill_wrong") == "0"
            gdb("detach")


@test
def a_thread_that_goes_alone_sleeps_and_wakes():
    with Guest("crowd", "--cpus", "2", arguments=["threads=3", "life-ms=300"]) as guest:
        guest.wait_for_thread("member-1")
        with Gdb(guest.image, guest.socket("gdb")) as gdb:
            gdb("break stand_about")
            gdb("continue", timeout=60)
            gdb("set scheduler-locking on")
            here = gdb.thread()
            assert "thread_sleep_ns" in gdb("frame")
            text = gdb("next", timeout=60)
            assert gdb.thread() == here and "return 0" in text, text
            gdb("set scheduler-locking off")
            gdb("detach")


@test
def a_thread_is_recorded_and_goes_back():
    """`record full` is gdb's own, but it wants threads named with their process."""
    with Guest("shop", "--cpus", "2") as guest, attach(guest) as gdb:
        gdb("break shop_handle")
        gdb("continue")
        gdb("delete")

        def state():
            return [gdb.value(f"(long){name}") for name in ("$pc", "$rsp", "$rdi")]

        gdb("record full")
        before = state()
        gdb("stepi 30", timeout=60)
        after = state()
        gdb("reverse-stepi 30", timeout=60)
        assert state() == before != after
        gdb("stepi 30", timeout=60)
        assert state() == after
        gdb("record stop")


main()
