# SPDX-License-Identifier: MIT
"""The events in the trace rings, as they lie in memory: tracing/ring.h and docs/formats/trace.md."""

import struct

import gdb

from . import elf, guest

INTEGERS = {"8": "b", "16": "h", "32": "i", "64": "q"}
TSC_BITS = 52
ID_BITS = 64 - TSC_BITS


def tracepoints():
    """[(name, [(type, field)])] by the ids of the events, from the image's file."""
    path = gdb.lookup_static_symbol("trace_rings") or gdb.lookup_global_symbol("trace_rings")
    if path is None:
        raise guest.Missing("the image has no trace_rings; was it stripped?")
    kind = guest.struct("uni_trace_meta")
    data = elf.section(path.symtab.objfile.filename, "uni_trace_meta")
    found = []
    for at in range(0, len(data) - kind.sizeof + 1, kind.sizeof):
        meta = gdb.Value(data[at : at + kind.sizeof], kind)
        fields = guest.array_text(meta["fields"])
        found.append((guest.array_text(meta["name"]), [f.split(" ") for f in fields.split(",")]))
    return found


class Ring:
    """The ring of one CPU."""

    def __init__(self, value):
        value.fetch_lazy()
        self.value = value
        self.cpu = int(value["cpu"])
        self.size = int(value["size"])
        word = int(value["word"])
        # A ring without a session has a word that is out of every range.
        self.running = word != (1 << 64) - 1
        self.word = word if self.running else int(value["last_word"])
        self.shift = int(value["sequence_shift"])
        self.last = self.word >> self.shift
        self.closed = bool(self.word & self.size)
        self.discarded = int(value["discarded"])

    def recorded(self):
        """Events of the session that found room."""
        slot = self.last & int(self.value["slot_mask"])
        before = int(self.value["slots"][slot]["recorded_before"])
        return before + (self.word & ((1 << self.shift) - 1)) // int(self.value["one_event"])

    def sequences(self):
        """Packets that may be in memory, the newest first. Number 0 never was."""
        oldest = max(1, self.last - int(self.value["slot_mask"]))
        return range(self.last, oldest - 1, -1)

    def packet(self, sequence):
        """(events' bytes, TSC before the first of them, whether all was written)."""
        slot = sequence & int(self.value["slot_mask"])
        uses = sequence >> int(self.value["slot_bits"])
        base = int(self.value["data"]) + slot * self.size
        kind = guest.struct("uni_trace_packet")
        header = gdb.Value(guest.read(base, kind.sizeof), kind)
        if int(header["packet_seq_num"]) != sequence - 1:
            return b"", 0, False
        if sequence == self.last and not self.closed:
            end = self.word & (self.size - 1)
            expected = uses * self.size + ((end + 7) & ~7)
        else:
            end = int(header["content_size"]) // 8
            expected = (uses + 1) * self.size
        start = kind.sizeof
        if not start <= end <= self.size:
            return b"", 0, False
        complete = int(self.value["slots"][slot]["committed"]) == expected
        return guest.read(base + start, end - start), int(header["timestamp_begin"]), complete

    def events(self, points, wanted, accept):
        """At least the last `wanted` events that accept(name) takes, as (tsc, cpu, name, fields),
        and how many packets were not complete."""
        found, broken = [], 0
        for sequence in self.sequences():
            data, tsc, complete = self.packet(sequence)
            broken += not complete
            found = [e for e in decode(data, tsc, self.cpu, points) if accept(e[2])] + found
            if len(found) >= wanted:
                break
        return found, broken


def decode(data, tsc, cpu, points):
    """The events of a packet; ends where one makes no sense, which one half written may."""
    at = 0
    while at + 8 <= len(data):
        (header,) = struct.unpack_from("<Q", data, at)
        number, low = header & ((1 << ID_BITS) - 1), header >> ID_BITS
        if number >= len(points):
            return
        ahead = (low - tsc) % (1 << TSC_BITS)
        # Back in time: zeros, or an event of an earlier turn, where this one is not written yet.
        if ahead >= 1 << (TSC_BITS - 1):
            return
        tsc += ahead
        name, layout = points[number]
        fields, length = decode_fields(data, at + 8, layout)
        if fields is None:
            return
        yield tsc, cpu, name, fields
        at = (at + 8 + length + 7) & ~7


def decode_fields(data, start, layout):
    at, fields = start, []
    for kind, name in layout:
        if kind == "str":
            end = data.find(b"\0", at)
            if end < 0:
                return None, 0
            fields.append((kind, name, guest.clean(data[at:end].decode("utf-8", "replace"))))
            at = end + 1
            continue
        code = INTEGERS[kind[1:]] if kind[0] == "s" else INTEGERS[kind[1:]].upper()
        length = struct.calcsize("<" + code)
        if at + length > len(data):
            return None, 0
        fields.append((kind, name, struct.unpack_from("<" + code, data, at)[0]))
        at += length
    return fields, at - start
