# SPDX-License-Identifier: MIT
"""gdb dies in the middle of something, by kill -9, again and again: the guest goes on as if nobody had
ever been there, and the next gdb comes in."""

import json
import random
import socket
import time

from gdb_session import Gdb
from gdb_stress.customers import Customers
from gdb_stress.image import Image, differences, held_memory
from gdb_stress.progress import counted
from harness import Guest, uniscope, wait_for
from remote import Remote, frame

SHOP = ("--cpus", "4", "--memory", "128")
SECOND_NS = 1_000_000_000


def in_gdb(*commands):
    """A death of gdb at some point of the last of these commands."""

    def die(guest, dice):
        with Gdb(guest.image, guest.socket("gdb")) as gdb:
            for command in commands[:-1]:
                gdb(command)
            gdb.send(commands[-1])
            time.sleep(dice.random() * 0.5)

    return die


def in_words(*words):
    """A death of something that speaks the protocol, with these bytes as the last ones."""

    def die(guest, _):
        with Remote(guest.socket("gdb")) as remote:
            for word in words:
                remote.send_raw(word)

    return die


def in_the_handshake(guest, dice):
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(guest.socket("gdb")))
        line.sendall((b"+" + frame(b"qSupported:swbreak+"))[: dice.randrange(1, 20)])


def in_steps_off_a_breakpoint(guest, dice):
    """Without a stop of everything: the first threads hit the breakpoint before it can be ignored, and gdb
    says so behind its prompt. Nothing waits for one."""
    with Gdb(guest.image, guest.socket("gdb"), settings=("non-stop on",)) as gdb:
        gdb.send("break queue_push\nignore 1 100000\ncontinue -a")
        gdb.wait("word of it", 30, lambda: b"Continuing." in gdb.text)
        time.sleep(dice.random() * 0.5)


MOMENTS = {
    "at the prompt": in_gdb("info threads", "bt"),
    "continuing": in_gdb("continue"),
    "continuing with breakpoints": in_gdb("break order_commit if 0", "break spin_lock if 0", "continue"),
    "counting hits": in_gdb("break queue_push", "ignore 1 100000", "continue"),
    "stepping threads off a breakpoint": in_steps_off_a_breakpoint,
    "watching": in_gdb("watch -l run_queues[0].ready_mask", "ignore 1 100000", "continue"),
    "stepping": in_gdb("break queue_pop", "continue", "stepi 100000"),
    "stepping over functions": in_gdb("break queue_pop", "continue", "next 1000"),
    "calling a function": in_gdb("break order_commit", "continue", "call thread_sleep_ns(200000000)"),
    "tracing": in_gdb(
        "trace queue_push",
        "actions\ncollect $regs\nwhile-stepping 20\ncollect $regs\nend\nend",
        "tstart",
        "continue",
    ),
    "recording": in_gdb("break queue_pop", "continue", "record btrace", "continue"),
    "reading 64 MB": in_gdb("dump binary memory /dev/null 0x100000 0x4100000"),
    "inserting breakpoints": in_gdb("rbreak ^[p-s]", "continue"),
    "in a packet": in_words(b"$m100000,4"),
    "in a binary packet": in_words(b"$X0,10:\x03}"),
    "in a checksum": in_words(frame(b"vCont;c")[:-1]),
    "before an answer": in_words(b"".join(frame(b"m%x,8000" % (n << 15)) for n in range(100, 200))),
    "behind a breakpoint": in_words(frame(b"Z2,100000,8"), frame(b"vCont;c"), frame(b"?")),
    "in the handshake": in_the_handshake,
}


def wait_for_text(guest, image):
    """Everything that gdb laid is lifted."""

    def text():
        return held_memory(guest, image.text_start, len(image.text))

    try:
        wait_for("the text", lambda: text() == image.text, timeout=60)
    except AssertionError:
        raise AssertionError(differences(image.text, text(), image.text_start)) from None


def look(guest):
    """The next one comes and leaves."""
    with Remote(guest.socket("gdb")) as remote:
        assert len(remote.threads()) > 8
        remote.ok(b"D")


def kills(count, seed):
    """N deaths of gdb in the middle of something"""
    dice = random.Random(seed)
    with Guest("shop", *SHOP) as guest, Customers(guest) as customers:
        image = Image(guest.image)
        for number in counted(range(count)):
            moment = list(MOMENTS)[number % len(MOMENTS)]
            MOMENTS[moment](guest, dice)
            try:
                # Nobody has come since: the guest finds out by itself.
                wait_for_text(guest, image)
                customers.wait_for_answers(5)
                look(guest)
                customers.wait_for_answers(5)
            except (AssertionError, OSError) as problem:
                raise AssertionError(f"after a death {moment}: {problem}") from None
        return f"{count} deaths in {min(count, len(MOMENTS))} ways, {customers.answered} orders"


def numbers(guest):
    """(the guest's time, requests that its shop has served)"""
    stat = json.loads(uniscope("stat", guest.name, "--json").stdout)
    served = next(metric["value"] for metric in stat["metrics"] if metric["name"] == "app.requests")
    return stat["uptime_ns"], served


def served_in(guest, seconds):
    """Requests in a second of the guest's time."""
    start, before = numbers(guest)
    end = start + seconds * SECOND_NS
    now, after = wait_for("the guest's clock", lambda: (at := numbers(guest))[0] >= end and at, 600)
    return (after - before) * SECOND_NS / (now - start)


def attaches(count, seed):
    """N attaches and detaches, and the shop's throughput before and after"""
    with Guest("shop", *SHOP, arguments=["load=500"]) as guest:
        image = Image(guest.image)
        dice = random.Random(seed)
        before = served_in(guest, 10)
        for _ in counted(range(count)):
            if dice.random() < 0.3:
                with Gdb(guest.image, guest.socket("gdb")) as gdb:
                    gdb("break order_commit")
                    assert "hit Breakpoint 1" in gdb("continue"), gdb("bt")
                    gdb("detach")
            else:
                look(guest)
        after = served_in(guest, 10)
        wait_for_text(guest, image)
        assert after > 0.8 * before, f"{before:.0f} requests a second became {after:.0f}"
        return f"{count} times; {before:.0f} requests a second of the guest's before, {after:.0f} after"
