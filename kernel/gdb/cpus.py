# SPDX-License-Identifier: MIT
"""`uni cpus`."""

from . import guest, layout
from .command import Command
from .threads import Thread, gdb_threads, selection_kept, where


def ready_threads(queue):
    """The threads in a struct run_queue, the most urgent first."""
    found = []
    mask = int(queue["ready_mask"])
    for priority in reversed(range(mask.bit_length())):
        if mask >> priority & 1:
            head = queue["ready"][priority]
            found += guest.entries(head, guest.struct("thread"), "queue_link")
    return found


class Cpus(Command):
    """List the guest's CPUs: uni cpus

    The thread on each and where it is; what the CPU is in (an interrupt, an NMI, code that must not be
    preempted); the threads that are ready to run there; what it did since it came up."""

    name = "cpus"
    arguments_max = 0

    def run(self):
        rows = []
        queue_array = guest.variable("kernel/run_queue.c", "run_queues")
        with selection_kept():
            known = gdb_threads()
            for cpu in guest.cpus():
                pointer = cpu["thread"]
                thread = Thread(pointer.dereference()) if int(pointer) else None
                ready = ready_threads(queue_array[int(cpu["id"])])
                rows.append(
                    (
                        str(int(cpu["id"])),
                        thread.name if thread else "none",
                        self.inside(cpu),
                        ", ".join(guest.array_text(t["name"]) for t in ready[:4])
                        + (f" and {len(ready) - 4} more" if len(ready) > 4 else "")
                        or "-",
                        str(int(cpu["switches"])),
                        str(int(cpu["irq_count"])),
                        layout.duration(int(cpu["irq_ns"])),
                        str(int(cpu["nmi_count"])),
                        where(thread, known) if thread else "",
                    )
                )
        layout.table(
            ("CPU", "THREAD", "IN", "READY", "SWITCHES", "IRQS", "IN IRQS", "NMIS", "WHERE"),
            rows,
            right=(0, 4, 5, 6, 7),
        )

    def inside(self, cpu):
        """The NMI by which a debugger holds the CPU is not the guest's doing."""
        words = []
        if int(cpu["irq_depth"]):
            words.append("interrupt")
        if int(cpu["preempt_count"]):
            words.append("no preemption")
        if int(cpu["stopped"]):
            words.append("stopped by a panic")
        return ", ".join(words) or "thread"


COMMAND = Cpus
