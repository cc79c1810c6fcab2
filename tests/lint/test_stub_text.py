# SPDX-License-Identifier: MIT
"""What stops CPUs and lets them go runs with breakpoints in memory, and is where none may be set: the
text from kernel_stub_text_start on (kernel.ld). What it calls outside is all here, with why it may."""

import re

from harness import image, main, run, test

# Functions, and who in that text calls them.
ALLOWED = {
    "boot": """
        clock_delay_ns lapic_timer_init
        cmdline_get debug_init_early debug_link_init_early
        cmdline_has wait_for_gdb
        irq_isa_gsi debug_link_attend
        irq_route_gsi debug_link_attend
        memset uni_gdb_init fpu_area_init
        page_map_device lapic_init
        port_find debug_link_init
        port_on_event debug_link_attend
        port_poll_only debug_link_init
        strcmp debug_init_early
        uart_enable_interrupt debug_link_attend
        uart_isa_irq debug_link_attend
        uart_present debug_link_init_early
    """,
    "the world is stopped, and breakpoints are lifted": """
        page_device next_memory
        page_device_count next_memory
        page_get_access get_access
        page_ram next_memory
        page_ram_count next_memory
        port_poll_read debug_link_read
        port_poll_write debug_link_write
        thread_state_name describe
        trace_switches refuse_breakpoint
        uart_get debug_link_read
        uart_put debug_link_write
        wait_kind_name describe
    """,
    "may meet breakpoints: debug_nmi.c": """
        port_is_open debug_link_wants_stop
        port_poll_peek debug_link_wants_stop
        uart_has_input debug_link_wants_stop
    """,
    "the CPU is the program's again, or not the debugger's yet": """
        irq_dispatch trap_handle
        probe_nmi trap_handle_nmi
        sched_reschedule debug_aside_enter
        thread_preempt_irq trap_handle
    """,
    "the end": """
        cpu_halt panic_nmi
        panic_trap debug_trap trap_handle
        shutdown talk
    """,
}

# The compiler makes them of parts of functions.
PART = re.compile(r"\.(?:isra|part|constprop|cold)[.0-9]*")


def allowed():
    lines = (line.split() for text in ALLOWED.values() for line in text.strip().splitlines())
    return {(caller, callee) for callee, *callers in lines for caller in callers}


def calls_outside(path):
    """{(caller, callee)} of the direct calls that leave that text."""
    symbols = {}
    for line in run("nm", "--defined-only", path).stdout.splitlines():
        address, _, name = line.split(" ", 2)
        symbols[name] = int(address, 16)
    start, end = symbols["kernel_stub_text_start"], symbols["kernel_stub_text_end"]
    part = f"--start-address={start}", f"--stop-address={end}"
    text = run("objdump", "-d", "--no-show-raw-insn", *part, path).stdout
    found, caller = set(), None
    for line in text.splitlines():
        if head := re.match(r"[0-9a-f]+ <(.+)>:", line):
            caller = PART.sub("", head.group(1))
        elif call := re.search(r"\s(?:call|j\w+)\s+([0-9a-f]+) <([^>+]+)", line):
            if not start <= int(call.group(1), 16) < end:
                found.add((caller, PART.sub("", call.group(2))))
    assert found, "no call at all was found"
    return found


@test
def what_stops_cpus_calls_nothing_that_may_have_a_breakpoint():
    for name in ("hello", "shop"):
        more = calls_outside(image(name)) - allowed()
        words = "; ".join(f"{caller}() calls {callee}()" for caller, callee in sorted(more))
        assert not more, f"{name}: {words}"


@test
def what_is_allowed_is_called():
    unused = allowed() - calls_outside(image("shop"))
    assert not unused, f"nobody calls any more: {sorted(unused)}"


main()
