# SPDX-License-Identifier: MIT
"""A stock gdb on running guests: attach, look, break, step, interrupt, leave and come back."""

import contextlib
import pathlib
import re
import subprocess
import tempfile
import time

from gdb_session import Gdb
from harness import SOURCE, UNISCOPE, Guest, image, main, test, wait_for

WORKER = "kernel/apps/shop/worker.c"


def shop(*options, **more):
    return Guest("shop", "--cpus", "2", *options, **more)


def attach(guest):
    """As soon as the supervisor has seen that a gdb before is gone; it takes one at a time."""

    def try_once():
        gdb = Gdb(guest.image, guest.socket("gdb"))
        if "monitor feature" in gdb("monitor help"):
            return gdb
        gdb.kill()
        return None

    return wait_for("a session", try_once)


def attach_at_work(guest):
    """When every thread of the shop is there."""
    guest.wait_for_thread("worker-4")
    return attach(guest)


def line_of(path, text):
    """The line of a source that has this text, so that tests survive edits."""
    lines = (SOURCE / path).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@contextlib.contextmanager
def bare_qemu(application, arguments):
    """A guest under QEMU alone, whose second UART is a socket: yields the socket's path."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = pathlib.Path(folder) / "uart"
        words = [
            *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"),
            *("-no-reboot", "-M", "q35", "-accel", "tcg", "-m", "64", "-smp", "2"),
            *("-serial", f"file:{folder}/console", "-serial", f"unix:{path},server=on,wait=off"),
            *("-kernel", str(image(application)), "-append", arguments),
        ]
        process = subprocess.Popen(words)
        try:
            wait_for("the UART's socket", path.exists)
            yield path
        finally:
            process.kill()
            process.wait()


def runs(guest):
    """Whether the guest's clock interrupts go on: gdb comes twice and looks at a counter."""

    def switches():
        with attach(guest) as gdb:
            value = int(gdb.value("cpus[0].irq_count + cpus[1].irq_count"))
            gdb("detach")
            return value

    before = switches()
    time.sleep(0.3)
    return switches() > before + 10


@test
def calls_functions_wherever_the_guest_stopped():
    with shop() as guest:
        with attach(guest) as gdb:
            # A call returns to a breakpoint on the stack, which is a fault: nothing runs there. So
            # the first one starts from an interrupt, those after it from a fault.
            for _ in range(4):
                assert int(gdb.value("thread_count()")) > 3, gdb("bt")
            gdb("detach")
        assert runs(guest)


@test
def threads_have_names_and_states():
    with shop() as guest, attach_at_work(guest) as gdb:
        assert "Remote debugging using" in gdb.greeting, gdb.greeting
        text = gdb("info threads")
        names = re.findall(r'Thread 1\.\d+ "([^"]+)" \(([^)]+)\)', text)
        rows = [line for line in text.splitlines() if re.match(r"^[* ] +\d", line)]
        assert len(rows) == len(names), text
        wanted = {"idle/0", "idle/1", "main", "dispatcher", "worker-1", "worker-4"}
        assert wanted <= {name for name, _ in names}, text
        states = [state for _, state in names]
        assert sum(state.startswith("running on CPU") for state in states) == 2, text
        assert any(re.match(r"cond .*, since \d+ ms", state) for state in states), text
        handle = "gdb.parse_and_eval('(long)cpus[0].idle')"
        name = gdb(f"python print(gdb.selected_inferior().thread_from_handle({handle}).name)")
        assert name == "idle/0\n", name


def check_backtraces(gdb):
    traces = gdb.backtraces()
    assert len(traces) > 8, traces
    for name, frames in traces:
        text = "\n".join(frames)
        assert "??" not in text, f"{name}:\n{text}"
        assert any(end in frames[-1] for end in ("thread_start", "boot_64", "ap_64")), f"{name}:\n{text}"
        assert re.search(r" at \S+:\d+$", frames[0]), f"{name}:\n{text}"


@test
def every_thread_has_a_backtrace_to_its_start():
    for cpus in (1, 2, 4):
        with Guest("shop", "--cpus", str(cpus)) as guest:
            guest.wait_for_thread("customer")
            with attach(guest) as gdb:
                for _ in range(5):
                    check_backtraces(gdb)
                    gdb.send("continue")
                    time.sleep(0.07)
                    gdb.interrupt()


@test
def a_backtrace_crosses_a_trap():
    with shop() as guest, attach(guest) as gdb:
        gdb("break timer_interrupt")
        stopped = gdb("continue")
        assert "hit Breakpoint" in stopped, stopped
        text = gdb("bt")
        assert "<signal handler called>" in text and "??" not in text, text
        above = text.split("<signal handler called>")[1]
        assert re.search(r"#\d+ .* at \S+:\d+", above), text


@test
def a_breakpoint_in_a_worker_hits_again_and_again():
    line = line_of(WORKER, "shop_handle(")
    with shop() as guest, attach(guest) as gdb:
        gdb(f"break {WORKER}:{line}")
        seen = set()
        for _ in range(12):
            text = gdb("continue")
            assert f"{WORKER}:{line}" in text and "hit Breakpoint 1" in text, text
            seen.add(gdb.thread())
        assert len(seen) > 1, f"only thread {seen} was ever there"
        assert "breakpoint already hit 12 times" in gdb("info breakpoints")


@test
def step_next_finish_and_until():
    with shop() as guest, attach(guest) as gdb:
        gdb("break queue_pop")
        gdb("continue")
        thread = gdb.thread()
        gdb("delete")
        for command in ("next", "next", "step", "stepi", "nexti"):
            text = gdb(command)
            assert gdb.thread() == thread, f"{command}: {text}"
            assert "received signal" not in text, f"{command}: {text}"
        gdb("tbreak queue_pop")
        gdb("continue")
        text = gdb("finish")
        assert "Value returned is" in text, text
        assert "queue_pop" not in gdb("info symbol $pc"), text


def interrupts(gdb):
    return int(gdb.value("cpus[0].irq_count + cpus[1].irq_count"))


@test
def stepping_meets_no_interrupt_and_holds_the_other_cpu():
    with shop() as guest, attach(guest) as gdb:
        gdb("tbreak shop_handle")
        gdb("continue")
        assert "IF" in gdb.value("$eflags")
        gdb("set scheduler-locking on")
        here = gdb.thread()
        rows = re.findall(r"^[* ] +(\d+) .*running on CPU", gdb("info threads"), re.M)
        other = next(int(row) for row in rows if int(row) != here)

        def state():
            gdb(f"thread {other}")
            found = [gdb.value(name) for name in ("$pc", "$sp", "$rax", "$rcx", "$rdx")]
            gdb(f"thread {here}")
            return found, interrupts(gdb)

        before, start = state(), gdb.value("$pc")
        for _ in range(40):
            gdb("stepi")
        assert gdb.value("$pc") != start
        assert state() == before, f"{before} became {state()}"
        assert "IF" in gdb.value("$eflags"), "the flag is the program's own again"
        gdb("monitor step-masks-irqs off")
        for _ in range(40):
            gdb("stepi")
        assert interrupts(gdb) > before[1], "interrupts were due all the time"


@test
def pushed_flags_are_the_programs_own_while_stepping():
    with shop() as guest, attach(guest) as gdb:
        # irq_save() inside spin_lock(): pushfq, popq, cli.
        gdb("tbreak spin_lock")
        gdb("continue")
        for _ in range(30):
            if "pushf" in gdb("x/i $pc"):
                break
            gdb("stepi")
        assert "pushf" in gdb("x/i $pc")
        before = gdb.flags()
        gdb("stepi")
        pushed = int(gdb.value("*(long *)$sp"))
        assert pushed == before, f"{pushed:#x} pushed, {before:#x} were shown"
        assert not pushed & 0x100, "the trap flag was seen"
        for _ in range(10):
            if "cli" in gdb("x/i $pc"):
                break
            gdb("stepi")
        assert "cli" in gdb("x/i $pc")
        gdb("stepi")
        assert not gdb.flags() & 0x200, "cli was undone"


@test
def ctrl_c_stops():
    with shop() as guest, attach(guest) as gdb:
        for _ in range(5):
            gdb.send("continue")
            time.sleep(0.1)
            text = gdb.interrupt()
            assert "received signal SIGINT" in text, text


@test
def attaches_to_a_guest_that_spins_with_interrupts_off():
    # With one CPU there is none left that the interrupt of the port could come to.
    for cpus in ("1", "2"):
        options = ("--cpus", cpus, "--hang-timeout", "0")
        with Guest("crash", *options, arguments=["kind=spin-irqs-off"]) as guest:
            time.sleep(1)
            with attach(guest) as gdb:
                row = next(l for l in gdb("info threads").splitlines() if '"main"' in l)
                assert "running on CPU" in row, row
                gdb.send("continue")
                time.sleep(0.3)
                text = gdb.interrupt()
                assert "received signal SIGINT" in text, text
                number = re.match(r"^[* ] +(\d+)", row).group(1)
                gdb(f"thread {number}")
                assert "crash_" in gdb("bt"), gdb("bt")


@test
def watchpoints_tell_old_and_new():
    with shop() as guest, attach(guest) as gdb:
        gdb("watch -l run_queues[0].ready_mask")
        for _ in range(3):
            text = gdb("continue")
            found = re.search(r"Old value = (\d+)\nNew value = (\d+)", text)
            assert found and found.group(1) != found.group(2), text
        gdb("delete")
        gdb("hbreak queue_push")
        for _ in range(3):
            text = gdb("continue")
            assert "hit Breakpoint 2" in text, text
        text = gdb("watch -l run_queues")
        assert "Hardware watchpoint" not in text or "Could not insert" in gdb("continue"), text


@test
def breakpoints_in_scheduler_heap_and_locks():
    for place in ("switch_locked", "heap_alloc_zeroed", "spin_lock", "mutex_unlock", "timer_interrupt"):
        with shop() as guest, attach(guest) as gdb:
            gdb(f"break {place}")
            for _ in range(4):
                text = gdb("continue")
                assert "hit Breakpoint 1" in text, f"{place}: {text}"
                assert place in gdb("bt 2")
            gdb("delete")
            gdb("detach")
            assert runs(guest), f"after breakpoints in {place} the guest stood still"


@test
def no_cpu_runs_past_a_breakpoint_that_another_steps_off():
    with Guest("shop", "--cpus", "4") as guest, attach(guest) as gdb:
        gdb("break order_commit")
        gdb("continue")
        gdb("ignore 1 40")
        before = int(gdb.value("total.orders"))
        gdb("continue", timeout=90)
        hits = int(re.search(r"already hit (\d+) times", gdb("info breakpoints")).group(1)) - 1
        orders = int(gdb.value("total.orders")) - before
        # A worker that is inside the function has hit it and not booked yet: there are four.
        assert hits == 41 and -1 <= hits - orders <= 4, f"{hits} hits, {orders} orders"
        gdb("delete")
        gdb("detach")
        assert runs(guest)


@test
def ctrl_c_stops_a_gdb_that_counts_hits():
    with shop() as guest, attach(guest) as gdb:
        gdb("break order_commit")
        gdb("ignore 1 1000000")
        for _ in range(5):
            gdb.send("continue")
            time.sleep(0.2)
            text = gdb.interrupt()
            assert "received signal SIGINT" in text, text


@test
def no_breakpoint_in_the_stub_itself():
    with shop() as guest, attach(guest) as gdb:
        for place in ("debug_trap", "uni_gdb_poll", "trap_handle", "memory_read_nofault"):
            gdb(f"break {place}")
            text = gdb("continue")
            assert "Cannot insert breakpoint" in text, f"{place}: {text}"
            gdb("delete")


@test
def bad_addresses_are_errors():
    with shop() as guest, attach(guest) as gdb:
        for address in ("0", "0xfff", "0x7fffffffffff", "0x8000000000000000", "0xffffffffffffffff"):
            text = gdb(f"x/b {address}")
            assert "Cannot access memory" in text, f"{address}: {text}"
            text = gdb(f"set variable *(char *){address} = 1")
            assert "Cannot access memory" in text, f"{address}: {text}"
        gdb("break *0x10")
        text = gdb("continue")
        assert "Cannot insert breakpoint" in text and "Cannot access memory at address 0x10" in text, text
        gdb("delete")
        gdb("detach")
        assert runs(guest)


@test
def a_breakpoint_stands_on_a_tracepoint_of_the_guests_own():
    with shop() as guest, attach(guest) as gdb:
        count = int(gdb.value("((long)&__stop_uni_trace_sites - (long)&__start_uni_trace_sites) / 24"))
        sites = [gdb.value(f"*((unsigned long *)&__start_uni_trace_sites + 3 * {i})") for i in range(count)]
        site = next(site for site in sites if "shop_handle" in gdb(f"info symbol {site}"))
        gdb(f"break *{site}")
        for _ in range(3):
            assert "hit Breakpoint 1" in gdb("continue")
        gdb("delete")
        gdb("detach")
        assert runs(guest)


@test
def a_jump_into_nowhere_is_caught_before_it_is_a_fault():
    with shop() as guest, attach(guest) as gdb:
        gdb("hbreak order_commit")
        assert "order_commit" in gdb("continue")
        gdb("delete")
        gdb("hbreak *0")
        pc = gdb("output/x $pc")
        gdb("set $pc = 0")
        text = gdb("continue")
        assert re.search(r"Breakpoint \d+, 0x0+ in \?\?", text), text
        gdb("delete")
        gdb(f"set $pc = {pc}")
        gdb("detach")
        assert runs(guest)


@test
def gdb_kills_on_quit_what_it_is_told_is_its_own():
    for arguments, gone in ((("on-quit=kill",), True), ((), False)):
        with Guest("shop", "--cpus", "2", arguments=arguments) as guest:
            with attach(guest) as gdb:
                gdb.send("quit")
                gdb.process.wait(timeout=30)
            if gone:
                wait_for("its end", lambda: not guest.runtime.exists())
            else:
                assert runs(guest)


@test
def registers_and_memory_are_written():
    with shop() as guest, attach(guest) as gdb:
        gdb("tbreak shop_handle")
        gdb("continue")
        old = gdb.value("$r12")
        gdb("set $r12 = 0x1234567890abcdef")
        assert int(gdb.value("$r12")) == 0x1234567890ABCDEF
        gdb(f"set $r12 = {old}")
        gdb("set $xmm3.v4_int32[2] = 77")
        gdb("stepi")
        assert gdb.value("$xmm3.v4_int32[2]") == "77"
        text = gdb.value("*(char (*)[6])kernel_text_start")
        gdb("set variable *(char *)kernel_text_start = *(char *)kernel_text_start")
        assert gdb.value("*(char (*)[6])kernel_text_start") == text
        assert gdb.value("cpu_count()") == "2", "a call into the guest"


@test
def a_thread_on_no_cpu_can_be_stepped():
    with shop() as guest, attach(guest) as gdb:
        gdb("break shop_handle")
        rows = []
        # With a queue behind it each worker has something to do, and still naps now and then.
        for _ in range(100):
            gdb("continue")
            rows = re.findall(r'^[* ] +(\d+) .*"worker-\d" \((?:cond|sleep)', gdb("info threads"), re.M)
            if rows:
                break
        assert rows, gdb("info threads")
        gdb("delete")
        thread = int(rows[0])
        gdb(f"thread {thread}")
        assert "thread_switch" in gdb("frame")
        text = gdb("stepi")
        assert gdb.thread() == thread, text
        assert "thread_switch" not in gdb("frame"), text
        gdb("finish")
        gdb("set scheduler-locking on")
        others = re.findall(r'^[* ] +(\d+) .*"\S+" \(sleep', gdb("info threads"), re.M)
        gdb(f"thread {others[0]}")
        gdb.send("continue")
        assert "received signal SIGINT" in gdb.interrupt()
        assert gdb.thread() == int(others[0])


def waiting(gdb):
    """The workers that wait, by their numbers."""
    rows = re.findall(r'^[* ] +(\d+) .*"worker-\d" \((?:cond|mutex|sleep)', gdb("info threads"), re.M)
    return [int(row) for row in rows]


def until_two_wait(gdb):
    for _ in range(100):
        if len(waiting(gdb)) >= 2:
            return
        gdb("tbreak shop_handle")
        gdb("continue")
    raise AssertionError(gdb("info threads"))


@test
def functions_are_called_in_threads_that_wait():
    with shop() as guest, attach_at_work(guest) as gdb:
        names = ("$pc", "$sp", "$rbx", "$rbp", "$r12", "$r13", "$r14", "$r15", "$mxcsr")
        called = set()
        for locking in ("off", "on"):
            until_two_wait(gdb)
            gdb(f"set scheduler-locking {locking}")
            for thread in waiting(gdb):
                # Others run meanwhile, unless they are locked.
                if thread not in waiting(gdb):
                    continue
                gdb(f"thread {thread}")
                before, trace = [gdb.value(name) for name in names], gdb("bt -frame-arguments none")
                assert "thread_switch" in trace, trace
                others = gdb("thread apply all -q output /x $xmm0.uint128")
                assert int(gdb.value("thread_count()")) > 3
                assert int(gdb.value("cpu_count()")) == 2
                if locking == "on":
                    gdb("maintenance flush register-cache")
                    assert gdb("thread apply all -q output /x $xmm0.uint128") == others
                assert [gdb.value(name) for name in names] == before
                assert gdb("bt -frame-arguments none") == trace
                called.add(thread)
        assert called, gdb("info threads")
        # Which is told of the guest, and stopped in.
        thread = waiting(gdb)[0]
        gdb(f"thread {thread}")
        before = [gdb.value(name) for name in names]
        gdb("break thread_count")
        text = gdb("print thread_count()")
        assert "stopped while in a function called from GDB" in text, text
        text = gdb("bt")
        assert "<function called from gdb>" in text and "thread_switch" in text, text
        assert "in a call of gdb" in gdb("info threads")
        gdb(f"thread {next(other for other in waiting(gdb) if other != thread)}")
        text = gdb("print thread_count()")
        assert "stopped while in a function called from GDB" in text, text
        assert "Value returned" in gdb("finish")
        gdb(f"thread {thread}")
        assert "Value returned" in gdb("finish")
        assert [gdb.value(name) for name in names] == before
        # It goes on nowhere else.
        assert "cannot be written" in gdb("set var $pc = 0")
        assert "cannot be written" in gdb("set var $sp = $sp + 8")
        assert [gdb.value(name) for name in names] == before
        gdb("delete")
        gdb("set scheduler-locking off")
        gdb("break shop_handle")
        for _ in range(200):
            gdb("continue")
            called.discard(gdb.thread())
            if not called:
                break
        assert not called, f"{called} wait for ever: " + gdb("info threads")
        gdb("detach")
        assert runs(guest)


@test
def detach_leaves_the_guest_running():
    with shop() as guest:
        for _ in range(3):
            with attach(guest) as gdb:
                gdb("break shop_handle")
                gdb("continue")
                assert "detached" in gdb("detach")
            assert runs(guest)


@test
def a_gdb_that_was_killed_leaves_nothing_behind():
    with shop() as guest:
        with attach(guest) as gdb:
            code = gdb("x/16xb shop_handle")
        for stopped in (True, False):
            with attach(guest) as gdb:
                gdb("set breakpoint always-inserted on")
                gdb("break shop_handle if 0" if not stopped else "break shop_handle")
                gdb.send("continue")
                time.sleep(0.3)
                gdb.kill()
            time.sleep(0.1)
            with attach(guest) as gdb:
                assert gdb("x/16xb shop_handle") == code, "a breakpoint was left"
                gdb("detach")
            assert runs(guest)


@test
def without_gdb_the_guest_stays_stopped_if_it_was_told_to():
    for arguments, line in (((), "monitor on-disconnect stop"), (("on-disconnect=stop",), "show version")):
        with Guest("shop", "--cpus", "2", arguments=arguments) as guest:
            # The last one: gdb's numbers of threads have no gaps then.
            guest.wait_for_thread("customer")
            with attach(guest) as gdb:
                gdb(line)
                gdb("break order_commit")
                gdb("continue")
                there = gdb("info threads")
                gdb.kill()
            with attach(guest) as gdb:
                now = gdb("info threads")
                assert now == there, f"{there}\n{now}"
                assert "hit Breakpoint" not in gdb("info program")
                gdb("monitor on-disconnect go")
                gdb.kill()
            assert runs(guest)


@test
def the_memory_map_has_what_there_is():
    for machine in ("microvm", "q35"):
        with Guest("shop", "--machine", machine, "--memory", "64") as guest, attach(guest) as gdb:
            regions = re.findall(r"0x(\w+)\s+0x(\w+)", gdb("info mem"))
            spans = sorted((int(start, 16), int(end, 16)) for start, end in regions)
            assert all(spans[i][1] <= spans[i + 1][0] for i in range(len(spans) - 1)), spans
            top = max(end for start, end in spans if start < 1 << 30)
            assert spans[0][0] == 0 and 63 << 20 < top <= 64 << 20, spans  # firmware keeps some
            for device in ("0xfee00020", "0xfec00000"):
                assert "Cannot access" not in gdb(f"x/wx {device}"), f"{machine}: {device}"
            assert "Cannot access" in gdb("x/wx 0x40000000")


@test
def every_section_can_be_read_whole():
    with shop() as guest, attach(guest) as gdb:
        sections = re.findall(r"(0x\w+)->(0x\w+) at 0x\w+: (\S+) ALLOC", gdb("maint info sections ALLOC"))
        assert ".bss" in [name for _, _, name in sections], sections
        for start, end, name in sections:
            text = gdb(f"dump binary memory /dev/null {start} {end}", timeout=60)
            assert "Cannot access" not in text, f"{name}: {text}"


def stacks(gdb):
    """{thread's id in the guest: its frames' lines}"""
    text = gdb("thread apply all bt", timeout=60)
    parts = re.split(r"^Thread \d+ \((?:LWP |Thread 1\.)(\d+)", text, flags=re.M)
    return {id: re.findall(r"^#\d+ .*$", part, re.M) for id, part in zip(parts[1::2], parts[2::2])}


@test
def what_is_mapped_is_listed_with_its_protection():
    with shop() as guest, attach(guest) as gdb:
        lines = re.findall(r"0x(\w+) +0x(\w+) +0x\w+ +0x0 +(\S+)", gdb("info proc mappings"))
        spans = [(int(start, 16), int(end, 16), access) for start, end, access in lines]

        def access_of(symbol):
            at = int(gdb.value(f"(unsigned long)&{symbol}"))
            return [access for start, end, access in spans if start <= at < end]

        assert access_of("shop_handle") == ["r-xp"], spans
        assert access_of("cpus") == ["rw-p"], spans
        assert access_of("kernel_image_start") == ["r--p"], spans
        assert not [span for span in spans if span[0] == 0], spans
        assert not [span for span in spans if "wx" in span[2]], spans


@test
def gcore_keeps_all_of_it():
    with tempfile.TemporaryDirectory() as folder, Guest("shop", "--cpus", "2") as guest:
        core = f"{folder}/core"
        guest.wait_for_thread("customer")
        with attach(guest) as gdb:
            text = gdb(f"gcore {core}", timeout=120)
            assert "Saved corefile" in text and "warning" not in text, text
            live = stacks(gdb)
        with Gdb(guest.image) as gdb:
            assert "generated by `shop'" in gdb(f"core {core}", timeout=60)
            assert stacks(gdb) == live and len(live) > 10


@test
def a_feature_that_is_off_is_not_used():
    with shop() as guest:
        with attach(guest) as gdb:
            assert "memory-map on" in gdb("monitor feature")
            for name in ("noack", "memory-map", "threads", "swbreak-feature", "software-breakpoint"):
                assert gdb(f"monitor feature {name} off").strip() == f"{name} off"
            gdb("detach")
        with attach(guest) as gdb:
            assert "no memory regions" in gdb("info mem")
            assert "worker" in gdb("info threads")
            gdb("break order_commit")
            assert "hit Breakpoint 1" in gdb("continue")
            code = gdb("x/16xb order_commit")
            gdb("delete")
            for name in ("noack", "memory-map", "threads", "swbreak-feature", "software-breakpoint"):
                gdb(f"monitor feature {name} on")
            gdb("detach")
        with attach(guest) as gdb:
            assert "no memory regions" not in gdb("info mem")
            assert gdb("x/16xb order_commit") == code


@test
def a_fault_stops_in_gdb_before_the_guest_dies():
    with Guest("crash", arguments=["kind=null-write", "gdbwait"]) as guest, attach(guest) as gdb:
        text = gdb("continue")
        assert "received signal SIGSEGV" in text and "CRASH: null-write" in text, text
        assert "crash_null_write" in gdb("bt")
        text = gdb("continue")
        assert "Remote connection closed" in text, text


@test
def a_panic_stops_in_gdb():
    with Guest("crash", arguments=["kind=assert", "gdbwait"]) as guest, attach(guest) as gdb:
        text = gdb("continue")
        assert "received signal SIGABRT" in text, text
        assert "crash_assert" in gdb("bt")


@test
def gdbwait_waits_before_main():
    with shop(arguments=["gdbwait"]) as guest, attach(guest) as gdb:
        gdb("tbreak app_main")
        text = gdb("continue")
        assert "app_main" in text, text


@test
def over_a_uart_from_the_start():
    with bare_qemu("shop", "gdb=ttyS1 gdbwait") as path:
        # What gdb says before the guest has set its UART up is lost, and gdb says it again.
        with Gdb(image("shop"), path, timeout=2) as gdb:
            text = gdb("bt")
            assert "debug_init_early" in text and "kernel_boot" in text, text
            assert "Thread 1.2" not in gdb("info threads"), "before the other CPUs run"
            gdb("break order_commit")
            for _ in range(3):
                text = gdb("continue")
                assert "hit Breakpoint 1" in text, text
            gdb("delete")
            gdb.send("continue")
            time.sleep(0.2)
            text = gdb.interrupt()
            assert "received signal SIGINT" in text, text
            gdb("detach")
        time.sleep(0.2)
        with Gdb(image("shop"), path) as gdb:
            assert '"dispatcher"' in gdb("info threads")


@test
def on_q35_with_many_cpus():
    with Guest("shop", "--machine", "q35", "--cpus", "8") as guest, attach(guest) as gdb:
        gdb("break order_commit")
        for _ in range(3):
            text = gdb("continue")
            assert "hit Breakpoint 1" in text, text
        gdb("delete")
        gdb.send("continue")
        time.sleep(0.3)
        assert "received signal SIGINT" in gdb.interrupt()
        states = re.findall(r"\(running on CPU (\d+)\)", gdb("info threads"))
        assert sorted(map(int, states)) == list(range(8)), states


@test
def monitor_tells_of_itself():
    with shop() as guest, attach(guest) as gdb:
        assert "monitor cpus" in gdb("monitor help")
        lines = gdb("monitor cpus").splitlines()
        assert len(lines) == 2 and lines[1].startswith("CPU 1: "), lines
        assert gdb("monitor step-masks-irqs off") == "off\n"


@test
def uniscope_gdb_attaches():
    with shop() as guest:
        guest.wait_for_thread("dispatcher")
        commands = ("info threads", "show default-collect", "detach")
        words = [UNISCOPE, "gdb", guest.name, "--", "-nx", "-batch", *(f"-ex={one}" for one in commands)]
        result = subprocess.run(
            [str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )
        assert '"dispatcher"' in result.stdout, result.stdout + result.stderr
        assert "$trace_timestamp" in result.stdout, "each frame has the time"
        assert runs(guest)


main()
