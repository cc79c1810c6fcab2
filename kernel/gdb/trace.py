# SPDX-License-Identifier: MIT
"""`uni trace`."""

import fnmatch

from . import guest, layout
from .command import Command, count_of
from .ring import Ring, tracepoints
from .threads import all_threads

SHOWN = 40
THREAD_FIELDS = ("thread", "prev", "next", "owner")


class Trace(Command):
    """Show the last events in the trace rings: uni trace [EVENTS] [PATTERN]

    The last 40 events of all CPUs in the order of time, or as many as asked for; with a pattern only
    those whose names match, as in `uni trace 100 sched:*`. A ring keeps what the host took from it until
    it is written again. `uniscope record` turns tracepoints on."""

    name = "trace"
    arguments_max = 2

    def run(self, *words):
        pattern = next((word for word in words if not word[0].isdigit()), "*")
        wanted = next((count_of(word) for word in words if word[0].isdigit()), SHOWN)
        points = tracepoints()
        if not any(fnmatch.fnmatch(name, pattern) for name, _ in points):
            raise guest.Missing(f"no tracepoint is called {pattern}")
        rings = [Ring(r.dereference()) for r in self.rings() if int(r)]
        if not rings:
            raise guest.Missing("the guest had no memory for trace rings")
        events, broken = [], 0
        for ring in rings:
            found, partial = ring.events(points, wanted, lambda n: fnmatch.fnmatch(n, pattern))
            events += found
            broken += partial
        events.sort(key=lambda event: event[0])
        self.show(events[-wanted:])
        if not events:
            layout.line("The rings hold no such events; `uniscope record` turns tracepoints on.")
        running = "a session runs" if any(r.running for r in rings) else "no session runs"
        lost = sum(ring.discarded for ring in rings)
        words = f"({running}; {lost} events found no room"
        layout.line(words + (f"; {broken} packets are incomplete)" if broken else ")"))

    def rings(self):
        return guest.read_array(guest.variable("kernel/trace.c", "trace_rings"))

    def show(self, events):
        names = {thread.id: thread.name for thread in all_threads()}
        base = int(guest.variable("x86_64/clock.c", "tsc_base"))
        scale = int(guest.variable("x86_64/clock.c", "ns_per_tsc"))
        for tsc, cpu, name, fields in events:
            ns = (tsc - base) * scale >> 32
            words = " ".join(f"{n}={self.value(k, n, v, names)}" for k, n, v in fields)
            layout.line(f"[{ns // 10**9:5}.{ns % 10**9:09}] CPU {cpu}  {name}  {words}")

    def value(self, kind, name, value, names):
        if kind == "str":
            return f'"{value}"'
        if name == "site":
            return guest.called_from(value)
        if name in THREAD_FIELDS and value in names:
            return f"{value} ({names[value]})"
        if name == "prev_state":
            return self.state(value)
        return guest.symbol_of(value) if kind[0] == "x" else str(value)

    def state(self, value):
        for field in guest.enum("thread_state").fields():
            if field.enumval == value:
                return field.name.split("_", 1)[1].lower()
        return str(value)


COMMAND = Trace
