# SPDX-License-Identifier: MIT
"""`uni log`."""

from . import guest, layout
from .command import Command, count_of
from .threads import all_threads

SHOWN = 50


class Log(Command):
    """Show the end of the guest's log: uni log [RECORDS | all]

    The last 50 records that the guest still has, or as many as asked for."""

    name = "log"

    def run(self, wanted=str(SHOWN)):
        ring = guest.variable("kernel/log.c", "ring")
        next_sequence = int(guest.variable("kernel/log.c", "next_sequence"))
        records = [r for r in guest.read_array(ring) if int(r["len"]) or int(r["time_ns"])]
        held = {int(r["sequence"]): r for r in records if int(r["sequence"]) < next_sequence}
        order = sorted(held)
        if wanted != "all":
            order = order[-count_of(wanted) :]
        names = {thread.id: thread.name for thread in all_threads()}
        for sequence in order:
            self.show(held[sequence], names)
        if not order:
            layout.line("The log is empty.")
        elif order[0] > 0:
            older = len(held) - len(order)
            gone = next_sequence - len(held)
            words = [f"{older} older: `uni log all`"] if older else []
            words += [f"{gone} older were overwritten"] if gone else []
            layout.line(f"({'; '.join(words)})")

    def show(self, record, names):
        length = int(record["len"])
        text = bytes(int(record["text"][i]) & 255 for i in range(length)).decode("utf-8", "replace")
        time_us = int(record["time_ns"]) // 1000
        level = guest.enumerator(record["level"].cast(guest.enum("log_level")))
        thread = int(record["thread"])
        layout.line(
            f"[{time_us // 10**6:5}.{time_us % 10**6:06}] "
            f"{'' if level == 'info' else level + ': '}{guest.clean(text)}"
            f"   ({names.get(thread, f'thread {thread}')}, CPU {int(record['cpu'])})"
        )


COMMAND = Log
