# SPDX-License-Identifier: MIT
"""Pretty-printers: `print orders_lock`, `info locals` and an editor's variables show the kernel's
lists, locks, threads and run queues in words."""

import gdb
import gdb.printing

from . import guest, layout
from .threads import Thread

WAITERS_MAX = 100


def members(value):
    for field in value.type.fields():
        yield field.name, value[field]


class Printer:
    """Words in front of the members, which stay to be opened. Words that cannot be made (the memory
    is gone, or not initialised) are left out."""

    def __init__(self, value):
        self.value = value

    def words(self):
        raise NotImplementedError

    def to_string(self):
        try:
            return self.words()
        except (gdb.error, guest.Missing, ValueError, OverflowError):
            return ""

    def children(self):
        return members(self.value)


def waiters(queue):
    """The names of those on a struct wait_queue."""
    names = []
    for thread in guest.entries(queue["waiters"], guest.struct("thread"), "queue_link"):
        names.append(guest.array_text(thread["name"]))
        if len(names) == WAITERS_MAX:
            names.append("...")
            break
    return names


def waiting(queue):
    names = waiters(queue)
    if not names:
        return "nobody waits"
    return f"{len(names)} wait{'s' if len(names) == 1 else ''}: {', '.join(names)}"


def named(value):
    return f'"{guest.text(value["name"])}"'


class ListPrinter(Printer):
    def words(self):
        end = int(self.value.address)
        node, count = int(self.value["next"]), 0
        kind = guest.struct("list").pointer()
        while node != end and count < guest.LIST_MAX:
            node = int(gdb.Value(node).cast(kind)["next"])
            count += 1
        # A node is a struct list like the head: it counts the others and the head.
        return "empty" if not count else f"{count} others"


class WaitQueuePrinter(Printer):
    def words(self):
        return waiting(self.value)


class SpinlockPrinter(Printer):
    def words(self):
        if not int(self.value["taken"]):
            return f"{named(self.value)}, free"
        return f"{named(self.value)}, held by CPU {int(self.value['holder']) - 1}"


class MutexPrinter(Printer):
    def words(self):
        owner = self.value["owner"]
        if not int(owner):
            return f"{named(self.value)}, free"
        held = layout.duration(max(0, guest.time_ns() - int(self.value["owned_since_ns"])))
        name = guest.array_text(owner["name"])
        return f"{named(self.value)}, held by {name} for {held}, {waiting(self.value['queue'])}"


class CondPrinter(Printer):
    def words(self):
        return f"{named(self.value)}, {waiting(self.value['queue'])}"


class SemaphorePrinter(Printer):
    def words(self):
        return f"{named(self.value)}, at {int(self.value['count'])}, {waiting(self.value['queue'])}"


class ThreadPrinter(Printer):
    def words(self):
        thread = Thread(self.value)
        words = f'{thread.id} "{thread.name}", {thread.state}'
        if thread.state == "running":
            return f"{words} on CPU {thread.cpu}"
        if thread.wait_kind != "none":
            words += f": {thread.wait_kind} {guest.text(thread.wait['object_name'])}".rstrip()
        return words


class RunQueuePrinter(Printer):
    def words(self):
        from .cpus import ready_threads

        names = [guest.array_text(thread["name"]) for thread in ready_threads(self.value)]
        return f"{len(names)} ready" + (f": {', '.join(names)}" if names else "")


PRINTERS = {
    "list": ListPrinter,
    "wait_queue": WaitQueuePrinter,
    "spinlock": SpinlockPrinter,
    "mutex": MutexPrinter,
    "cond": CondPrinter,
    "semaphore": SemaphorePrinter,
    "thread": ThreadPrinter,
    "run_queue": RunQueuePrinter,
}


def register():
    """For the image whose section this is; by hand for all."""
    collection = gdb.printing.RegexpCollectionPrettyPrinter("uniscope")
    for name, printer in PRINTERS.items():
        collection.add_printer(name, f"^{name}$", printer)
    gdb.printing.register_pretty_printer(gdb.current_objfile(), collection, replace=True)
