# SPDX-License-Identifier: MIT
"""`uni pagetable`: four-level page tables (Intel SDM vol. 3, 4.5)."""

import struct

from . import guest, layout
from .command import Command, address_of
from .locations import what_is

PRESENT, WRITE, UNCACHED, LARGE = 1 << 0, 1 << 1, 1 << 4, 1 << 7
NO_EXECUTE = 1 << 63
ADDRESS = 0x000FFFFFFFFFF000
LEVELS = (("PML4", 39), ("PDPT", 30), ("PD", 21), ("PT", 12))


def walk(address):
    """[(level's name, address of the entry, entry, bits that it leaves)], down to what decides."""
    table = int(guest.variable("x86_64/page_table.c", "kernel_pml4").address)
    for name, shift in LEVELS:
        at = table + (address >> shift & 511) * 8
        (entry,) = struct.unpack("<Q", guest.read(at, 8))
        yield name, at, entry, shift
        if not entry & PRESENT or (entry & LARGE and name in ("PDPT", "PD")):
            return
        table = entry & ADDRESS


def access(steps):
    """What the processor allows: a level that forbids something forbids it for all below."""
    entries = [entry for _, _, entry, _ in steps]
    if not entries[-1] & PRESENT:
        return "not mapped"
    words = ["read"]
    if all(entry & WRITE for entry in entries):
        words.append("write")
    if not any(entry & NO_EXECUTE for entry in entries):
        words.append("execute")
    text = ", ".join(words)
    if entries[-1] & UNCACHED:
        text += ", uncached"
    if "write" in words and "execute" in words:
        text += "; writable code: W^X is broken"
    return text


class Pagetable(Command):
    """Walk the page tables for an address: uni pagetable ADDRESS

    Each level's entry, what may be done with the page, and what the address is: code, a stack, the
    guard page of one, a device. ADDRESS is an expression, as in `uni pagetable $rsp`."""

    name = "pagetable"
    is_expression = True

    def run(self, expression=None):
        if not expression:
            raise guest.Missing("which address? as in `uni pagetable $rsp`")
        address = address_of(expression)
        if address >> 47 not in (0, (1 << 17) - 1):
            raise guest.Missing(f"{address:#x} is no canonical address")
        steps = list(walk(address))
        for name, at, entry, _ in steps:
            layout.line(f"{name:4}  at {at:#014x}  {entry:#018x}  {self.bits(entry)}")
        _, _, entry, shift = steps[-1]
        if entry & PRESENT:
            low = (1 << shift) - 1
            physical = (entry & ADDRESS & ~low) | (address & low)
            where = "itself" if physical == address else f"{physical:#x}"
            layout.line(f"{address:#x} is mapped to {where}, in a page of {layout.size(low + 1)}.")
        layout.line(f"Access: {access(steps)}.")
        layout.line(f"It is {what_is(address)}.")

    def bits(self, entry):
        if not entry & PRESENT:
            return "not present"
        words = ["write" if entry & WRITE else "read-only"]
        words += ["no-execute"] if entry & NO_EXECUTE else []
        words += ["uncached"] if entry & UNCACHED else []
        return ", ".join(words)


COMMAND = Pagetable
