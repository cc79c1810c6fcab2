# SPDX-License-Identifier: MIT
"""`uni irqs`."""

from . import guest, layout
from .command import Command


class Irqs(Command):
    """Show the guest's interrupts: uni irqs

    Each vector that a device has: where it comes from and who handles it; then what each CPU took."""

    name = "irqs"
    arguments_max = 0

    def run(self):
        sources = self.sources()
        rows = []
        for vector, action in enumerate(guest.read_array(guest.variable("kernel/irq.c", "vectors"))):
            handlers = list(self.handlers(action))
            if handlers:
                rows.append((f"{vector:#x}", sources.get(vector, "MSI"), ", ".join(handlers)))
        layout.table(("VECTOR", "FROM", "HANDLERS"), rows)
        layout.line("")
        layout.table(
            ("CPU", "IRQS", "TIME IN THEM", "WHILE IDLE", "NMIS OF NOBODY", "NOW IN"),
            [self.cpu(cpu) for cpu in guest.cpus()],
            right=(0, 1, 2, 3, 4),
        )
        spurious = int(guest.variable("kernel/irq.c", "spurious_count"))
        layout.line(f"{layout.count(spurious, 'interrupt')} that nobody handles")

    def sources(self):
        found = {}
        for number, gsi in enumerate(guest.read_array(guest.variable("kernel/irq.c", "gsis"))):
            if int(gsi["vector"]):
                words = [guest.last_word(gsi["trigger"]), guest.last_word(gsi["polarity"])]
                found[int(gsi["vector"])] = f"GSI {number}, {words[0]}, active {words[1]}"
        return found

    def handlers(self, action):
        for _ in range(guest.LIST_MAX):
            if not int(action):
                return
            argument = int(action["argument"])
            words = guest.symbol_of(argument) if argument else ""
            yield f"{guest.symbol_of(int(action['handler']))}({words})"
            action = action["next"]

    def cpu(self, cpu):
        depth = int(cpu["irq_depth"])
        return (
            str(int(cpu["id"])),
            str(int(cpu["irq_count"])),
            layout.duration(int(cpu["irq_ns"])),
            layout.duration(int(cpu["irq_idle_ns"])),
            str(int(cpu["nmi_count"])),
            layout.count(depth, "handler") if depth else "-",
        )


COMMAND = Irqs
