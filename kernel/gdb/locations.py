# SPDX-License-Identifier: MIT
"""What lies at an address."""

import gdb

from . import guest
from .ring import Ring
from .threads import all_threads

# Fault stacks end at an unmapped page, which is looked for no further than this.
FAULT_STACK_PAGES_MAX = 16


def linker_symbol(name):
    try:
        return int(gdb.parse_and_eval(f"(unsigned long)&{name}"))
    except gdb.error:
        raise guest.Missing(f"the image has no symbol {name}")


def in_image(address):
    start, text, text_end, data, end = map(
        linker_symbol,
        (
            "kernel_image_start",
            "kernel_text_start",
            "kernel_text_end",
            "kernel_data_start",
            "kernel_image_end",
        ),
    )
    if not start <= address < end:
        return None
    symbol = guest.symbol_of(address)
    if text <= address < text_end:
        line, _ = guest.place(address)
        return f"code: {symbol}" + (f" at {line}" if line else "")
    return f"{'a constant' if address < text else 'data'} of the image: {symbol}"


def stacks():
    """(lowest address, end, whose)"""
    for thread in all_threads():
        yield thread.stack_low, thread.stack_high, f"thread {thread.id} ({thread.name})"
    for cpu in guest.cpus():
        tops = cpu["arch"]["tss"]["ist"]
        for i in range(tops.type.range()[1] + 1):
            if int(tops[i]):
                yield fault_stack_low(int(tops[i])), int(tops[i]), (
                    f"CPU {int(cpu['id'])} for faults (IST {i + 1})"
                )


def fault_stack_low(top):
    from .pagetable import PRESENT, walk

    low = top
    for _ in range(FAULT_STACK_PAGES_MAX):
        if not list(walk(low - 1))[-1][2] & PRESENT:
            break
        low -= guest.PAGE_SIZE
    return low


def in_stack(address):
    for low, high, whose in stacks():
        if low <= address < high:
            return f"in the stack of {whose}, {high - address} bytes below its top"
        if low - guest.PAGE_SIZE <= address < low:
            return f"in the guard page under the stack of {whose}"
    return None


def in_ring(address):
    for pointer in guest.read_array(guest.variable("kernel/trace.c", "trace_rings")):
        if int(pointer):
            ring = Ring(pointer.dereference())
            start = int(ring.value["data"])
            if start <= address < start + ring.size * (int(ring.value["slot_mask"]) + 1):
                return f"in the trace ring of CPU {ring.cpu}"
    return None


def ram_ranges():
    """[(start, end)] of RAM as the firmware reported it."""
    count = int(guest.variable("kernel/page_boot.c", "ram_count"))
    ranges = guest.read_array(guest.variable("kernel/page_boot.c", "ram"), count)
    return [(int(r["start"]), int(r["end"])) for r in ranges]


def what_is(address):
    if address < guest.PAGE_SIZE:
        return "in page 0, which null pointers lead to"
    found = in_stack(address) or in_image(address) or in_ring(address)
    if found:
        return found
    if any(start <= address < end for start, end in ram_ranges()):
        return "RAM of the page allocator: the heap, page tables, or free"
    return "not RAM: a device, firmware or nothing"
