# SPDX-License-Identifier: MIT
"""What gdb, or the guest, would punish hardest."""

import re

from gdb_session import Gdb
from gdb_stress.customers import Customers
from gdb_stress.image import Image
from harness import Guest, image, main, run, test
from remote import Remote, Stop

# What the stub calls outside of its own text, so that breakpoints may stand there: what runs with all
# of them lifted (the polled link, the words for states), at boot, at a death, when the code that a trap
# came into goes on by itself, or when a thread that was set aside gives its CPU away.
CALLED = set(
    "port_poll_read port_poll_write uart_get uart_put thread_state_name wait_kind_name memset "
    "uni_bytecode_refused shutdown port_is_open port_poll_peek uart_has_input irq_dispatch probe_nmi "
    "thread_preempt_irq panic_trap cpu_halt clock_delay_ns cmdline_get cmdline_has irq_isa_gsi "
    "irq_route_gsi page_map_device port_find port_on_event port_poll_only uart_enable_interrupt "
    "uart_isa_irq uart_present page_ram page_ram_count page_device page_device_count strcmp "
    "sched_reschedule page_get_access trace_switches".split()
)


def wait_for_stop(remote):
    remote.send(b"vCont;c")
    return Stop(remote.receive())


@test
def the_stub_calls_nothing_that_may_carry_a_breakpoint():
    symbols = Image(image("shop")).symbols
    start, end = symbols["kernel_stub_text_start"], symbols["kernel_stub_text_end"]
    code = run("objdump", "-d", f"--start-address={start}", f"--stop-address={end}", image("shop")).stdout
    calls = re.findall(r"\s(?:call|jmp)\s+([0-9a-f]+) <(\w+)>", code)
    outside = {name for address, name in calls if not start <= int(address, 16) < end}
    assert len(calls) > 100 and "irq_dispatch" in outside, "the listing was not understood"
    assert outside <= CALLED, outside - CALLED


@test
def a_step_that_faults_leaves_the_flags_alone():
    with Guest("drill", "--cpus", "1", arguments=["threads=1"]) as guest:
        with Gdb(guest.image, guest.socket("gdb")) as gdb:
            gdb("tbreak drill_call")
            gdb("continue")
            pc, rdi, flags = gdb.value("(long)$pc"), gdb.value("(long)$rdi"), gdb.flags()
            gdb("set $pc = (long)strcmp")
            gdb("set $rdi = 16")
            text = gdb("stepi")
            assert "SIGSEGV" in text and "strcmp (a=0x10" in text, text
            assert gdb.flags() == flags
            gdb(f"set $pc = {pc}")
            gdb(f"set $rdi = {rdi}")
            gdb("tbreak drill_call")
            text = gdb("signal 0")
            assert "hit Temporary breakpoint" in text and gdb.flags() == flags, text


@test
def a_step_over_pause_is_one_instruction():
    with Guest("drill", "--cpus", "1", arguments=["threads=1"]) as guest:
        with Gdb(guest.image, guest.socket("gdb")) as gdb:
            pc = gdb.value("(long)$pc")
            pause = int(re.search(r"0x([0-9a-f]+) .*\bpause", gdb("disassemble sched_wait_off_cpu")).group(1), 16)
            gdb(f"set $pc = {pause}")
            gdb("stepi")
            assert gdb.value("(long)$pc") == str(pause + 2)
            gdb(f"set $pc = {pc}")


@test
def no_name_of_a_thread_loses_a_thread():
    names = (b"<b>&\"\'", b"\xff\xfe", b"\xc3(", b"\xf0\x90", b"]]>\x01\x02", b"")
    arguments = ["threads=8", "gdbwait"]
    with Guest("crowd", "--cpus", "2", arguments=arguments) as guest:
        with Gdb(guest.image, guest.socket("gdb")) as gdb:
            gdb("break thread_list_add if (int)thread->stack_high - (int)thread->stack_low == 8192")
            for name in names:
                assert "hit Breakpoint 1" in gdb("continue")
                for index, byte in enumerate(name + b"\0"):
                    gdb(f"set var thread->name[{index}] = {byte}")
            gdb("delete")
            gdb.send("continue")
            gdb.interrupt()
            total = int(gdb.value("(int)thread_count()"))
            text = gdb("info threads")
            assert len(re.findall(r"^[* ] +\d+ +Thread", text, re.M)) == total, text
            assert "<b>&" in text and "??" in text and "]]>??" in text, text


@test
def the_thread_that_stopped_is_in_the_list():
    with Guest("shop", "--cpus", "4", arguments=["load=2000"]) as guest:
        for _ in range(30):
            with Remote(guest.socket("gdb")) as remote:
                at = remote.stop()
                assert at.thread in remote.threads(), at.text
                at = remote.resume(b"vCont;c", 0.01)
                assert at.thread in remote.threads(), at.text
                remote.ok(b"D")


@test
def cpus_that_hit_at_once_are_all_reported():
    with Guest("shop", "--cpus", "4", arguments=["load=5000", "workers=16"]) as guest:
        guest.wait_for_thread("worker-16")
        # With interrupts off: none comes between a CPU that is at the breakpoint and its hit.
        place = Image(guest.image).symbols["spin_lock_irqs_off"]
        with Remote(guest.socket("gdb")) as remote:
            remote.ok(b"Z0,%x,1" % place)
            both = 0
            for _ in range(400):
                at = wait_for_stop(remote)
                here = {thread for thread in remote.threads() if pc(remote, thread) == place}
                assert at.thread in here, at.text
                if len(here) > 1:
                    both += 1
                    all_are_reported(remote, here - {at.thread}, place)
                if both == 5:
                    break
            assert both == 5, f"only {both} times two CPUs were there"
            remote.ok(b"D")


@test
def of_two_that_meet_a_breakpoint_each_has_its_turn():
    with Guest("drill", "--cpus", "2", arguments=["threads=1"]) as guest:
        guest.wait_for_thread("driller-0")
        symbols = Image(guest.image).symbols
        with Remote(guest.socket("gdb")) as remote:
            # Any place of their loop; they are back there within some instructions.
            place = remote.stop().pc
            while not symbols["drill_loop"] + 16 <= place < symbols["drill_call"]:
                place = remote.resume(b"vCont;c", 0.01).pc
            seen = []
            for _ in range(40):
                remote.ok(b"Z0,%x,1" % place)
                seen.append(wait_for_stop(remote).thread)
                remote.ok(b"z0,%x,1" % place)
                remote.resume(b"vCont;c", 0.02)
            assert all(seen.count(thread) >= 5 for thread in set(seen)) and len(set(seen)) == 2, seen
            remote.ok(b"D")


@test
def a_jump_to_a_place_of_the_debuggers_own_stops_there():
    with Guest("shop", "--cpus", "2") as guest, Gdb(guest.image, guest.socket("gdb")) as gdb:
        gdb("tbreak order_commit")
        assert "order_commit" in gdb("continue")
        pc = gdb.value("(unsigned long)$pc")
        for place in ("debug_aside_gone", "debug_landing"):
            gdb(f"set $pc = {place}")
            text = gdb("continue")
            assert "SIGTRAP" in text, text
        gdb(f"set $pc = {pc}")
        gdb("tbreak order_commit")
        assert "hit Temporary breakpoint" in gdb("continue")
        gdb("detach")


def all_are_reported(remote, waiting, place):
    """None of them runs on before its own stop was told."""
    for _ in range(200):
        for thread in waiting:
            assert pc(remote, thread) == place, f"{thread} got past the breakpoint"
        if not waiting:
            return
        waiting = waiting - {wait_for_stop(remote).thread}
    raise AssertionError(f"never reported: {waiting}")


def pc(remote, thread):
    remote.ok(b"Hg%x" % thread)
    return int.from_bytes(bytes.fromhex(remote.ask(b"p10").decode()), "little")


def visit(remote, place):
    """Watches eight bytes for a while, and steps."""
    remote.ok(b"Z4,%x,8" % place)
    for _ in range(6):
        at = remote.resume(b"vCont;c", 0.02)
        assert at.signal in (2, 5), f"{place:#x}: {at.text}"
        at = remote.resume(b"vCont;s:%x;c" % at.thread, 0.02)
        assert at.signal in (2, 5), f"{place:#x}: {at.text}"
    remote.ok(b"z4,%x,8" % place)


@test
def what_the_debugger_works_with_may_be_watched():
    with Guest("shop", "--cpus", "2") as guest, Customers(guest) as customers:
        symbols = Image(guest.image).symbols
        with Remote(guest.socket("gdb")) as remote:
            idle = int.from_bytes(remote.read(symbols["cpus"] + 8, 8), "little")
            for start, length in (("cpus", 24), ("debug_stub", 64), ("debug_cpus", 64), (idle, 128)):
                start = symbols.get(start, start)
                for place in range(start + 8, start + length, 8):
                    visit(remote, place)
            remote.ok(b"D")
        customers.wait_for_answers(20)


@test
def what_a_trap_of_the_debugger_needs_first_is_not_watched():
    with Guest("shop") as guest, Remote(guest.socket("gdb")) as remote:
        place = Image(guest.image).symbols["cpus"]
        for kind in (b"Z2", b"Z4"):
            assert b"the debug stub itself" in remote.ask(b"%s,%x,8" % (kind, place))
        remote.ok(b"Z4,%x,8" % (place + 8))


@test
def a_step_through_a_switch_stays_with_its_thread():
    with Guest("shop", "--cpus", "2") as guest, Customers(guest) as customers:
        place = Image(guest.image).symbols["thread_switch"]
        with Remote(guest.socket("gdb")) as remote:
            remote.ok(b"Z0,%x,1" % place)
            at = wait_for_stop(remote)
            # One that comes back.
            while not remote.ask(b"qThreadExtraInfo,%x" % at.thread).startswith(b"worker".hex().encode()):
                remote.ok(b"z0,%x,1" % place)
                remote.resume(b"vCont;s:%x;c" % at.thread, 10)
                remote.ok(b"Z0,%x,1" % place)
                at = wait_for_stop(remote)
            remote.ok(b"z0,%x,1" % place)
            for _ in range(40):
                remote.send(b"vCont;s:%x;c" % at.thread)
                after = Stop(remote.receive())
                assert after.thread == at.thread, f"{at.text} {after.text}"
            assert not place <= after.pc < place + 100
            remote.ok(b"D")
        customers.wait_for_answers(20)


main()
