# SPDX-License-Identifier: MIT
"""gdb's helpers for the guest: the commands under `uni`, and pretty-printers.

They find everything by debug information, in a guest that is debugged and in a core alike, and
change nothing. docs/debugging.md shows each.
"""

from . import attach, cpus, heap, irqs, locks, log, memory, metrics, pagetable, printers
from . import command, threads, trace

command.Prefix()
for module in (threads, cpus, locks, heap, log, trace, metrics, irqs, pagetable, memory, attach):
    module.COMMAND()
printers.register()
