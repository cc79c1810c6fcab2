# SPDX-License-Identifier: MIT
"""A stock gdb's tracepoints on a busy guest, which they never stop."""

import pathlib
import re
import statistics
import tempfile
import time

from gdb_session import Gdb
from harness import Guest, main, test


def shop():
    return Guest("shop", "--cpus", "2", arguments=["load=20000"])


def attach(guest):
    return Gdb(guest.image, guest.socket("gdb"))


def trace(gdb, where, *actions):
    """Sets a tracepoint; what belongs to `while-stepping` ends with an "end" of its own."""
    text = gdb(f"trace {where}")
    assert "Tracepoint " in text, text
    if actions:
        for line in ("actions", *actions):
            gdb.send(line)
        gdb("end")


def begin(gdb):
    text = gdb("tstart")
    assert not text.strip(), text


def run_until(gdb, done, seconds=60):
    """Lets the guest run, with short stops to look, until done() holds. Nothing else may stop it."""
    end = time.monotonic() + seconds
    while True:
        gdb.send("continue")
        time.sleep(0.3)
        text = gdb.interrupt()
        assert "received signal SIGINT" in text, text
        if done():
            return
        assert time.monotonic() < end, gdb("tstatus")


def status(gdb):
    """(frames that are there, frames created)"""
    text = gdb("tstatus")
    found = re.search(r"contains (\d+) trace frames \(of (\d+) created|Collected (\d+) trace frames", text)
    assert found, text
    there, created, both = found.groups()
    return int(both or there), int(both or created)


def handled(gdb):
    """Requests that the shop has seen to since its start."""
    return int(gdb.value("'measures.c'::requests"))


def lost(gdb):
    return int(re.search(r"lost, as there was no room: (\d+)", gdb("monitor trace")).group(1))


def hits(gdb, number=1):
    gdb("tstatus")  # gdb asks for the counts then
    text = gdb(f"info tracepoints {number}")
    found = re.search(r"already hit (\d+) time", text)
    return int(found.group(1)) if found else 0


def frames(gdb, *expressions, most=1000):
    """What the expressions are in each frame, from the first on."""
    found = []
    text = gdb("tfind 0")
    while "Found trace frame" in text and len(found) < most:
        found.append([gdb.value(e) for e in expressions])
        text = gdb("tfind")
    gdb("tfind none")
    return found


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


@test
def frames_have_what_was_collected():
    with shop() as guest, attach(guest) as gdb:
        trace(gdb, "shop_handle", "collect $regs", "collect request->id, *request, worker")
        # As `uniscope gdb` has it.
        gdb("set default-collect $trace_timestamp")
        begin(gdb)
        run_until(gdb, lambda: status(gdb)[0] >= 20)
        gdb("tstop")
        assert "Trace stopped by a tstop command" in gdb("tstatus")
        found = frames(gdb, "request->id", "$rdi == request", "$pc == shop_handle", most=20)
        assert len({number for number, *_ in found}) == 20, found
        assert all(rest == ["1", "1"] for _, *rest in found), found
        gdb("tfind 3")
        text = gdb("tdump")
        for part in ("rax ", "mm15 ", "request->id = ", "*request = {id = "):
            assert part in text, text
        # What was not collected is not the guest's present.
        assert "<unavailable>" in gdb("print total") or "unavailable" in gdb("print total.orders")
        assert "queue_pop" in gdb("x/i queue_pop"), "text is served as it is"
        now = int(gdb.value("$trace_timestamp"))
        gdb("tfind 4")
        assert int(gdb.value("$trace_timestamp")) > now
        gdb("tfind none")
        assert "unavailable" not in gdb("print total.orders")


@test
def saved_traces_open_without_the_guest():
    with shop() as guest, attach(guest) as gdb, tempfile.TemporaryDirectory(dir="/tmp") as folder:
        trace(gdb, "shop_handle", "collect $regs, request->id")
        begin(gdb)
        run_until(gdb, lambda: status(gdb)[0] >= 10)
        gdb("tstop")
        there = frames(gdb, "request->id", "$rsp", most=10)
        for name, form, target in (("t.tf", "", "tfile"), ("t.ctf", "-ctf ", "ctf")):
            path = pathlib.Path(folder) / name
            assert "Trace data saved" in gdb(f"tsave {form}{path}", timeout=60)
            with Gdb(guest.image) as reader:
                text = reader(f"target {target} {path}")
                assert "Created tracepoint" in text or "Assuming tracepoint" in text, text
                assert frames(reader, "request->id", "$rsp", most=10) == there


@test
def conditions_and_pass_counts():
    with shop() as guest, attach(guest) as gdb:
        trace(gdb, "shop_handle if request->id % 4 == 1", "collect request->id")
        gdb("passcount 12 1")
        begin(gdb)
        run_until(gdb, lambda: "stopped by" in gdb("tstatus"))
        assert "Trace stopped by tracepoint 1" in gdb("tstatus")
        found = frames(gdb, "request->id")
        assert len(found) == 12 and hits(gdb) == 12, found
        assert all(int(number) % 4 == 1 for (number,) in found), found


@test
def steps_behind_a_tracepoint():
    with shop() as guest, attach(guest) as gdb:
        # Of one CPU: the last hit ends the trace, and with it the steps behind another's.
        trace(gdb, "shop_handle if $us_cpu == 0", "collect $regs", "while-stepping 5", "collect $rip", "end")
        gdb("passcount 4 1")
        begin(gdb)
        run_until(gdb, lambda: "stopped by" in gdb("tstatus"))
        assert status(gdb) == (24, 24), gdb("tstatus")
        gdb("tfind 0")
        lines = gdb("x/3i $pc")
        addresses = [int(a, 16) for a in re.findall(r"^(?:=>|  ) (0x[0-9a-f]+) ", lines, re.M)]
        # Each instruction is there once for each hit.
        found = [int(pc) for (pc,) in frames(gdb, "(long) $pc")]
        assert len(found) == 24 and len(addresses) == 3
        assert all(found.count(address) == 4 for address in addresses), (found, addresses)


@test
def variables_count():
    with shop() as guest, attach(guest) as gdb:
        gdb("tvariable $n = 100")
        trace(gdb, "shop_handle if $us_cpu == 0 && ($n = $n + 1) % 2 == 0", "collect $n, $us_cpu")
        begin(gdb)
        run_until(gdb, lambda: hits(gdb) >= 5)
        gdb("tstop")
        count = hits(gdb)
        assert int(gdb.value("$n")) in (100 + 2 * count, 101 + 2 * count)
        found = frames(gdb, "$n", "$us_cpu")
        assert found == [[str(102 + 2 * i), "0"] for i in range(count)], found


@test
def a_full_buffer_ends_the_trace_and_a_circular_one_does_not():
    with shop() as guest, attach(guest) as gdb:
        trace(gdb, "mutex_lock", "collect $regs, $trace_timestamp")
        gdb("set trace-buffer-size 100000")
        begin(gdb)
        run_until(gdb, lambda: "buffer was full" in gdb("tstatus"))
        there, created = status(gdb)
        assert there == created == hits(gdb) - lost(gdb)
        gdb("set circular-trace-buffer on")
        begin(gdb)
        run_until(gdb, lambda: status(gdb)[1] > 1000)
        gdb("tstop")
        there, created = status(gdb)
        assert 40 < there < created == hits(gdb) - lost(gdb)
        stamps = [int(row[0]) for row in frames(gdb, "$trace_timestamp")]
        # By halves: a CPU may be held up between its look at the clock and its frame.
        middle = len(stamps) // 2
        assert statistics.median(stamps[:middle]) < statistics.median(stamps[middle:]), stamps
        assert "failed" not in gdb(f"tfind {there - 1}")
        assert "failed to find" in gdb(f"tfind {there}")


@test
def counts_are_exact_on_two_cpus():
    """Each request is one hit; both CPUs have some; the shop's books stay right."""
    with shop() as guest, attach(guest) as gdb:
        gdb("set circular-trace-buffer on")
        trace(gdb, "shop_handle", "collect $us_cpu, request->id")
        trace(gdb, "mutex_unlock", "collect $us_cpu")
        trace(gdb, "mutex_unlock if $us_cpu == 0")
        trace(gdb, "mutex_unlock if $us_cpu == 1")
        before = handled(gdb)
        begin(gdb)
        run_until(gdb, lambda: hits(gdb) >= 300 and hits(gdb, 2) >= 3000)
        gdb("tstop")
        there, created = status(gdb)
        counts = [hits(gdb, number) for number in (1, 2, 3, 4)]
        assert sum(counts) == created + lost(gdb), counts
        assert counts[1] == counts[2] + counts[3] and counts[2] and counts[3], counts
        # A request is counted some time after its hit, once for each of four workers at most.
        assert abs(handled(gdb) - before - hits(gdb)) <= 4
        before = handled(gdb)
        gdb("delete")
        run_until(gdb, lambda: handled(gdb) > before + 100)


@test
def a_breakpoint_at_the_same_address():
    with shop() as guest, attach(guest) as gdb:
        trace(gdb, "shop_handle", "collect request->id")
        begin(gdb)
        gdb("break shop_handle")
        ids = []
        for _ in range(5):
            text = gdb("continue")
            assert "Breakpoint 2, " in text, text
            ids.append(gdb.value("request->id"))
            gdb("stepi")
        gdb("tstop")
        found = [number for (number,) in frames(gdb, "request->id")]
        # The other CPU may have hit too, and is told of later.
        # Two CPUs that are there at once may be told in another order than they collected in.
        assert sorted(number for number in found if number in ids) == sorted(ids), (found, ids)
        assert len(set(found)) == len(found), found


@test
def single_steps_over_tracepoints():
    with shop() as guest, attach(guest) as gdb:
        gdb("tbreak shop_handle")
        gdb("continue")
        lines = gdb("x/12i shop_handle")
        addresses = re.findall(r"^(?:=>| ) +(0x[0-9a-f]+) ", lines, re.M)
        for address in addresses[:6]:
            trace(gdb, f"*{address}", "collect $rip")
        begin(gdb)
        gdb("set scheduler-locking on")
        start, steps = gdb.thread(), []
        for _ in range(4):
            steps.append(gdb.value("(long) $pc"))
            text = gdb("stepi")
            assert "SIGTRAP" not in text, text
            assert gdb.thread() == start
        gdb("tstop")
        found = [pc for (pc,) in frames(gdb, "(long) $pc")]
        assert found == [pc for pc in steps if hex(int(pc)).lstrip("0x") in "".join(addresses[:6])], (
            found,
            steps,
        )


@test
def tracing_goes_on_without_gdb():
    with shop() as guest:
        with attach(guest) as gdb:
            trace(gdb, "shop_handle", "collect request->id")
            gdb("set disconnected-tracing on")
            gdb("set circular-trace-buffer on")
            begin(gdb)
            gdb("detach")
        before = None
        for _ in range(40):
            time.sleep(0.5)
            with attach(guest) as gdb:
                text = gdb("tstatus")
                assert "Trace is running on the target" in text, text
                assert "tracepoint" in gdb("info tracepoints")
                count = hits(gdb)
                gdb("detach")
            if before is not None and count > before + 20:
                break
            before = count if before is None else before
        assert count > before + 20
        with attach(guest) as gdb:
            assert "shop_handle" in gdb("info tracepoints")
            gdb("tstop")
            found = status(gdb)[1], lost(gdb), hits(gdb)
            assert found[0] + found[1] == found[2] >= count, (found, count)
            assert len(frames(gdb, "request->id", most=5)) == 5
            gdb("set disconnected-tracing off")


@test
def tracing_ends_with_gdb_otherwise():
    with shop() as guest:
        with attach(guest) as gdb:
            gdb("set circular-trace-buffer on")
            trace(gdb, "shop_handle", "collect request->id")
            begin(gdb)
            gdb.send("continue")
            time.sleep(1)
        with attach(guest) as gdb:
            text = gdb("tstatus")
            assert "stopped because of disconnection" in text, text


@test
def what_cannot_be_traced_is_refused():
    with shop() as guest, attach(guest) as gdb:
        trace(gdb, "debug_stop")
        assert "the debug stub itself runs here" in gdb("tstart")


main()
