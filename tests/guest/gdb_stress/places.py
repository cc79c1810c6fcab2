# SPDX-License-Identifier: MIT
"""Breakpoints in the busiest and most delicate functions of the kernel, one after the other, while four
CPUs are at work in them."""

import re

from gdb_session import Gdb
from gdb_stress.customers import Customers
from gdb_stress.image import Image, differences, held_memory
from gdb_stress.progress import counted
from harness import Guest

SHOP = ("--cpus", "4", "--memory", "64")

PLACES = (
    # the scheduler
    "switch_locked sched_reschedule thread_switch thread_preempt_irq run_queue_take make_ready "
    # locks
    "spin_lock spin_unlock mutex_lock mutex_unlock sem_post "
    # the heap
    "heap_alloc_zeroed heap_free heap_site_add "
    # the virtio drivers
    "virtqueue_publish virtqueue_kick virtqueue_used inbox_read outbox_copy port_write "
    # interrupts
    "irq_dispatch timer_interrupt virtio_interrupt port_interrupt"
).split()


def hit(guest, place, count):
    with Gdb(guest.image, guest.socket("gdb")) as gdb:
        text = gdb(f"break {place}")
        assert "Breakpoint 1 at" in text, text
        gdb(f"ignore 1 {count - 1}")
        text = gdb("continue", timeout=300)
        assert "hit Breakpoint 1" in text, f"{place}: {text}"
        text = gdb("info breakpoints")
        assert f"already hit {count} times" in text, f"{place}: {text}"
        text = gdb("bt")
        assert "??" not in text and re.search(rf"#0 +(0x\w+ in )?{place}", text), f"{place}: {text}"
        gdb("delete")
        gdb("detach")


def campaign(count, _):
    """N hits of a breakpoint at each place, by gdb"""
    with Guest("shop", *SHOP) as guest, Customers(guest) as customers:
        image = Image(guest.image)
        for place in counted(PLACES):
            hit(guest, place, count)
            text = held_memory(guest, image.text_start, len(image.text))
            assert text == image.text, f"{place}: {differences(image.text, text, image.text_start)}"
            customers.wait_for_answers(5)
        return f"{len(PLACES)} places, each hit {count} times; {customers.answered} orders"
