# SPDX-License-Identifier: MIT
"""`uni locks`."""

import re

import gdb

from . import guest, layout
from .command import Command
from .threads import (
    all_threads,
    gdb_threads,
    mutex_at,
    names_by_address,
    selection_kept,
    where,
)

ARRAY_MAX = 64
VARIABLE = re.compile(r"^\d+:\s.*?(\w+)(?:\[[^]]*\])*;$")


def variables():
    """The values of the image's variables outside functions, not fetched."""
    file = None
    for row in gdb.execute("info variables -q -n", to_string=True).splitlines():
        if row.startswith("File "):
            file = row[5:].rstrip(":")
            continue
        found = VARIABLE.match(row)
        if found and file:
            try:
                yield gdb.parse_and_eval(f"'{file}'::{found.group(1)}")
            except gdb.error:
                continue


def inside(value, wanted):
    """The structures of the type names `wanted` within a value, arrays bounded."""
    kind = value.type.strip_typedefs()
    if kind.code == gdb.TYPE_CODE_ARRAY:
        low, high = kind.range()
        if may_hold(kind.target(), wanted):
            for i in range(low, min(high, low + ARRAY_MAX) + 1):
                yield from inside(value[i], wanted)
    elif kind.code == gdb.TYPE_CODE_STRUCT:
        if kind.tag in wanted:
            yield value
        for field in kind.fields():
            if field.name and may_hold(field.type, wanted):
                yield from inside(value[field], wanted)


def may_hold(kind, wanted):
    kind = kind.strip_typedefs()
    if kind.code == gdb.TYPE_CODE_ARRAY:
        return may_hold(kind.target(), wanted)
    if kind.code != gdb.TYPE_CODE_STRUCT:
        return False
    return kind.tag in wanted or any(may_hold(f.type, wanted) for f in kind.fields())


def static_locks(kind):
    """{address: value} of the locks of a type in the image's variables. One that has no name was
    never brought up: an array has them for what is not there."""
    found = {}
    for variable in variables():
        for lock in inside(variable, {kind}):
            if int(lock["name"]):
                found[int(lock.address)] = lock
    return found


def cycles(threads):
    """Lists of threads of which each waits for the next one, and the last for the first."""
    by_address = {thread.address: thread for thread in threads}
    owner = {}
    for thread in threads:
        if thread.mutex():
            owner[thread.address] = int(mutex_at(thread.mutex())["owner"])
    seen, found = set(), []
    for start in owner:
        chain = []
        at = start
        while at in owner and at not in seen:
            seen.add(at)
            chain.append(at)
            at = owner[at]
        if at in chain:
            found.append([by_address[a] for a in chain[chain.index(at) :]])
    return found


class Locks(Command):
    """List the guest's locks that matter: uni locks [all]

    Mutexes that are held, by whom, where that thread is now and for how long, and who waits; spinlocks
    that are taken; and the threads that wait for each other in a circle. Seen are the locks in the
    image's variables, and any that a thread waits for. With `all` the free ones too."""

    name = "locks"

    def run(self, which=""):
        if which not in ("", "all"):
            raise guest.Missing("uni locks [all]")
        threads = all_threads()
        mutexes = static_locks("mutex")
        for thread in threads:
            if thread.mutex():
                mutexes[thread.mutex()] = mutex_at(thread.mutex())
        with selection_kept():
            rows = self.mutex_rows(mutexes.values(), threads, which == "all")
        rows += self.spinlock_rows(which == "all")
        if rows:
            layout.table(None, rows)
        else:
            layout.line("No lock is held.")
        for cycle in cycles(threads):
            self.show_cycle(cycle)

    def mutex_rows(self, mutexes, threads, with_free):
        now_ns = guest.time_ns()
        known = gdb_threads()
        names = names_by_address(threads)
        by_address = {thread.address: thread for thread in threads}
        rows = []
        for mutex in mutexes:
            owner = int(mutex["owner"])
            waiters = [t.name for t in threads if t.mutex() == int(mutex.address)]
            name = guest.text(mutex["name"])
            if owner:
                holder = by_address.get(owner)
                place = where(holder, known).split()[-1] if holder else "an unknown place"
                held = layout.duration(max(0, now_ns - int(mutex["owned_since_ns"])))
                words = f"held by {names.get(owner, hex(owner))} at {place} for {held}"
            elif with_free or waiters:
                words = f"free, {int(mutex['contended'])} waits so far"
            else:
                continue
            rows.append((name, "mutex", words, self.waiting(waiters)))
        return sorted(rows, key=lambda row: (not row[3], "held" not in row[2], row[0]))

    def waiting(self, names):
        verb = "waits" if len(names) == 1 else "wait"
        return f"{len(names)} {verb}: {', '.join(names)}" if names else ""

    def spinlock_rows(self, with_free):
        rows = []
        for lock in static_locks("spinlock").values():
            taken, holder = int(lock["taken"]), int(lock["holder"])
            name = guest.text(lock["name"])
            if taken:
                who = f"held by CPU {holder - 1}" if holder else "taken, its holder not noted yet"
                rows.append((name, "spinlock", who, ""))
            elif with_free:
                rows.append((name, "spinlock", "free", ""))
        return rows

    def show_cycle(self, cycle):
        words = [
            f"{thread.name} waits for {guest.text(mutex_at(thread.mutex())['name']) or 'a mutex'}"
            f", held by {cycle[(i + 1) % len(cycle)].name}"
            for i, thread in enumerate(cycle)
        ]
        layout.line(f"Deadlock: {'; '.join(words)}.")


COMMAND = Locks
