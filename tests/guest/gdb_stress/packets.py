# SPDX-License-Identifier: MIT
"""A debugger with bad manners against a live guest: packets by the hundred thousand, half of them
mended until they make no sense. The guest goes on, and every packet gets one well-formed answer.

Left out is what a debugger may do and the guest would not survive, however good the stub:

  k, vKill, R               end the guest
  M, X                      to memory that is not the campaign's own
  P, G                      with values that a register would take
  c, s, C, S with a pc      run code from anywhere
  Z0                        in the middle of an instruction, or in data that the guest reads
  QTDP                      the same
"""

import random
import re

from gdb_session import Gdb
from gdb_stress.customers import Customers
from gdb_stress.image import Image, differences, held_memory
from gdb_stress.progress import show
from harness import Guest
from remote import Remote, Silence, frame

SHOP = ("--cpus", "4", "--memory", "64")
RAM_SIZE = 64 << 20
SCRATCH_SIZE = 65536
BATCH = 64
PROBES_EVERY = 10  # batches

# `@` is an address, `#` a number, `%` a thread, `&` some bytes in hex.
TEMPLATES = (
    "? g G& p# P#=& m@,# m@,ffff M@,#:& X@,#:& Hg% Hc% Hg-1 T% qC qSupported:swbreak+ vCont? vCont;t "
    "Z0,@,1 z0,@,1 Z#,@,# z#,@,# Z1,@,1 Z2,@,# Z3,@,# Z4,@,# Z0,@,1;X#,& Z0,@,1;X3,220027 "
    "Z0,@,1;X4,22012702 Z0,@,1;cmds:#,X#,& D qfThreadInfo qsThreadInfo qThreadExtraInfo,% qAttached "
    "qCRC:@,# qSearch:memory:@;#;& qRcmd,& qRcmd,68656c70 qRcmd,637075730a qXfer:threads:read::#,# "
    "qXfer:threads:read::0,1000 qXfer:features:read:target.xml:#,# vMustReplyEmpty "
    "qTStatus qTfV qTsV qTV:# QTinit QTDV:#:&:#:& QTFrame:# QTStop QTBuffer:size:# qXfer:memory-map:read::#,# "
    "vFile:open:2f70726f632f312f736d617073,0,0 vFile:pread:3,#,# vFile:pread:4,#,# vFile:close:# "
    "QThreadEvents:# qXfer:btrace:read:all:#,# qOffsets qSymbol:: !"
).split()

RESUMES = ("vCont;c", "vCont;s:%;c", "vCont;s:%", "vCont;r@,@:%;c", "vCont;C#:%;c", "c", "s", "C05", "S05")


class Left(Exception):
    """A packet that is not sent, for the reasons above."""


class Packets:
    """Makes packets up."""

    def __init__(self, dice, image, scratch, threads):
        self.dice = dice
        self.scratch = scratch
        self.threads = threads
        self.places = {place for place in image.functions if not image.is_stub(place)}
        self.some_places = sorted(self.places)

    def address(self):
        return self.dice.choice(
            (
                lambda: self.dice.choice(self.some_places),
                lambda: self.dice.choice(self.some_places),
                lambda: self.scratch + self.dice.randrange(SCRATCH_SIZE),
                lambda: RAM_SIZE - self.dice.randrange(64),
                lambda: self.dice.randrange(RAM_SIZE),
                lambda: self.dice.randrange(1 << 64),
            )
        )()

    def fill(self, character):
        if character == "@":
            return f"{self.address():x}"
        if character == "#":
            return f"{self.dice.randrange(1 << 64) >> self.dice.randrange(44, 64):x}"
        if character == "%":
            return f"{self.dice.choice(self.threads):x}"
        if character == "&":
            return self.dice.randbytes(self.dice.randrange(20)).hex()
        return character

    def make(self, templates):
        """A packet, perhaps mended; raises Left."""
        text = "".join(map(self.fill, self.dice.choice(templates)))
        packet = bytearray(text.encode())
        while packet and self.dice.random() < 0.4:
            at = self.dice.randrange(len(packet))
            what = self.dice.randrange(4)
            if what == 0:
                del packet[at]
            elif what == 1:
                packet[at:at] = self.dice.randbytes(self.dice.randrange(1, 4))
            elif what == 2:
                packet[at] ^= 1 << self.dice.randrange(8)
            else:
                packet += packet[at:]
        self.check(bytes(packet))
        return bytes(packet)

    def check(self, packet):
        if packet[:1] in (b"k", b"R") or packet.startswith(b"vKill"):
            raise Left
        if packet[:1] in (b"P", b"G") and re.match(rb"[PG][0-9a-fA-F]", packet):
            raise Left
        if re.match(rb"[cs][0-9a-fA-F]|[CS]..;?[0-9a-fA-F]", packet, re.S):
            raise Left
        written = re.match(rb"[MX]([0-9a-fA-F]{1,16}),([0-9a-fA-F]{1,16}):", packet)
        if written:
            start, length = (int(word, 16) for word in written.groups())
            if start < self.scratch or start + length > self.scratch + SCRATCH_SIZE:
                raise Left
        laid = re.match(rb"Z0+,([0-9a-fA-F]{1,16}),|QTDP:[^:]*:([0-9a-fA-F]{1,16}):", packet)
        if laid:
            place = int(laid.group(1) or laid.group(2), 16)
            if place < RAM_SIZE and place not in self.places:
                raise Left


def resumes(packet):
    return packet[:1] in (b"c", b"s", b"C", b"S") or packet.startswith(b"vCont;")


class Fuzzer:
    """Sends them, counts the answers, and sees now and then whether all is well."""

    def __init__(self, remote, packets, dice):
        self.remote = remote
        self.packets = packets
        self.dice = dice
        self.sent = self.left = self.refused = self.stops = 0
        self.last = []

    def some(self, templates, count):
        made = []
        while len(made) < count:
            try:
                made.append(self.packets.make(templates))
            except Left:
                self.left += 1
        return made

    def run(self, count):
        batches = 0
        while self.sent < count:
            self.batch()
            self.resume()
            if self.dice.random() < 0.2:
                self.garbage()
            batches += 1
            show(self.sent, count)
            if batches % PROBES_EVERY == 0:
                self.probe()

    def batch(self):
        """One write, and as many answers as packets."""
        self.last = [packet for packet in self.some(TEMPLATES, BATCH) if not resumes(packet)]
        self.remote.send_raw(b"".join(map(frame, self.last)))
        for _ in self.last:
            answer = self.remote.receive()
            self.refused += not answer or answer.startswith(b"E")
        self.sent += len(self.last)

    def resume(self):
        self.last = self.some(RESUMES, 1)
        self.remote.send(self.last[0])
        self.sent += 1
        try:
            answer = self.remote.receive(0.02)
        except Silence:
            self.remote.send_raw(b"\x03")
            answer = self.remote.receive()
        self.stops += answer.startswith(b"T")
        assert not re.match(rb"[WX]|T0[^25]", answer), f"the guest got into trouble: {answer}"

    def garbage(self):
        """Frames that are none, then one that is: its answer comes, whatever was said before."""
        noise = bytes(self.dice.choice(b"$#}*+-\x03qm0,a\xff") for _ in range(self.dice.randrange(60)))
        self.last = [noise]
        self.remote.send_raw(noise + b"$#00")
        self.remote.synchronize()

    def probe(self):
        """All threads are there, and the one that stopped is among them."""
        self.last = []
        threads = self.remote.threads()
        at = self.remote.stop()
        assert at.thread in threads, f"{at.text} of {threads}"


def campaign(count, seed):
    """N packets without manners to a live guest"""
    dice = random.Random(seed)
    with Guest("shop", *SHOP) as guest, Customers(guest) as customers:
        image = Image(guest.image)
        with Gdb(guest.image, guest.socket("gdb")) as gdb:
            scratch = int(gdb.value(f"(long)heap_try_alloc({SCRATCH_SIZE})"))
            gdb("detach")
        before = held_memory(guest, image.text_start, len(image.text))
        with Remote(guest.socket("gdb")) as remote:
            fuzzer = Fuzzer(remote, Packets(dice, image, scratch, remote.threads()), dice)
            try:
                fuzzer.run(count)
            except AssertionError as problem:
                raise AssertionError(f"{problem}; sent last: {fuzzer.last}") from None
            remote.synchronize()
            remote.ok(b"D")
        after = held_memory(guest, image.text_start, len(image.text))
        assert after == before, differences(before, after, image.text_start)
        customers.wait_for_answers(100)
        return (
            f"{fuzzer.sent} packets, {fuzzer.refused} refused, {fuzzer.stops} stops; "
            f"{fuzzer.left} were left out"
        )
