# SPDX-License-Identifier: MIT
"""`uni metrics`."""

from . import guest, layout
from .command import Command
from .ring import Ring


def heap(member):
    return int(guest.variable("kernel/heap.c", "stats")[member])


def cpu_sum(member):
    return sum(int(cpu[member]) for cpu in guest.cpus())


def heap_total():
    free = int(guest.variable("kernel/page.c", "stats")["free"])
    return heap("held_bytes") + free * guest.PAGE_SIZE


def rings():
    pointers = guest.read_array(guest.variable("kernel/trace.c", "trace_rings"))
    return [Ring(pointer.dereference()) for pointer in pointers if int(pointer)]


def trace_lost():
    return sum(r.discarded + int(r.value["overwritten"]) for r in rings())


# What the kernel's own callbacks would answer, without running them: a guest that stands may hold
# the locks that they take, and a core runs nothing.
COMPUTED = {
    "heap_used": lambda: heap("live_bytes"),
    "heap_total": heap_total,
    "heap_allocations": lambda: heap("alloc_count"),
    "switches": lambda: cpu_sum("switches"),
    "interrupts": lambda: cpu_sum("irq_count"),
    "threads": lambda: int(guest.variable("kernel/thread_list.c", "all_count")),
    "uptime": guest.time_ns,
    "trace_emitted": lambda: sum(r.recorded() + r.discarded for r in rings()),
    "trace_lost": trace_lost,
}


class Metrics(Command):
    """Show the guest's metrics: uni metrics [PART OF A NAME]

    Those that a callback of the application computes are named, not computed: nothing runs in a guest
    that stands."""

    name = "metrics"

    def run(self, pattern=""):
        metrics = guest.variable("kernel/probe.c", "probe_metrics")
        rows = []
        for i in range(int(metrics["count"])):
            slot = metrics["slots"][i]
            if not int(slot):
                continue
            metric = slot.dereference()
            name = guest.text(metric["name"])
            if pattern in name:
                rows.append((name, self.value(metric), guest.last_word(metric["kind"])))
        if not rows:
            raise guest.Missing(f"no metric has {pattern!r} in its name")
        layout.table(("METRIC", "VALUE", "KIND"), sorted(rows), right=(1,))

    def value(self, metric):
        if int(metric["value"]):
            return self.with_unit(int(metric["value"].dereference()), metric)
        function = guest.function(int(metric["read"]))
        if function in COMPUTED:
            return self.with_unit(COMPUTED[function](), metric)
        return f"by {function}()"

    def with_unit(self, number, metric):
        unit = guest.last_word(metric["unit"])
        if unit == "bytes":
            return layout.size(number)
        if unit == "ns":
            return layout.duration(number)
        return f"{number / 10:.1f} %" if unit == "permille" else str(number)


COMMAND = Metrics
