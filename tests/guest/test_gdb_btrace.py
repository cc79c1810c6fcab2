# SPDX-License-Identifier: MIT
"""`record btrace`: what a thread did is there afterwards, backwards and forwards. The drill's main thread
goes round a loop of ROUNDS rounds again and again, and checks what comes out."""

import re

from gdb_session import Gdb
from harness import Guest, main, run, test, uniscope, wait_for
from remote import Remote

ROUNDS = 20
# More than what is kept, and what a guest that steps would need minutes for.
MANY_CALLS = 100_000
GAP = "decode error"


def drill(rounds=ROUNDS, threads=0, cpus=1):
    return Guest("drill", "--cpus", str(cpus), arguments=[f"rounds={rounds}", f"threads={threads}"])


def attach(guest):
    return Gdb(guest.image, guest.socket("gdb"))


def recorded(gdb):
    """Instructions, functions and gaps of the selected thread."""
    found = re.search(r"Recorded (\d+) instructions in (\d+) functions \((\d+) gaps\)", gdb("info record"))
    return tuple(int(number) for number in found.groups())


def calls(gdb):
    """The functions that the selected thread was in, the oldest first."""
    functions = recorded(gdb)[1]
    return re.findall(r"^\d+\t\s*(.*)$", gdb(f"record function-call-history 1,{functions}"), re.M)


def instructions(gdb):
    count = recorded(gdb)[0]
    return re.findall(r"^\d+\t(?:=>)? *0x([0-9a-f]+) <(\w+)", gdb(f"record instruction-history 1,{count}"), re.M)


def record_a_call(gdb):
    """From one call of drill_loop() to the next, stopped there."""
    gdb("break drill_loop")
    assert "hit Breakpoint" in gdb("continue")
    gdb("record btrace")
    assert "hit Breakpoint" in gdb("continue")


def runs_at_full_speed(guest):
    """Without a gdb; a step at a time it would take minutes."""
    with attach(guest) as gdb:
        assert "No recording" in gdb("info record")
        before = int(gdb.value("drill_calls"))
        assert gdb.flags() & 0x100 == 0
        assert gdb.value("drill_wrong") == "0"
        gdb("detach")

    def went_on():
        with attach(guest) as gdb:
            return int(gdb.value("drill_calls")) - before > MANY_CALLS

    wait_for("the guest to run", went_on, timeout=20)


@test
def each_instruction_is_there():
    with drill() as guest, attach(guest) as gdb:
        record_a_call(gdb)
        assert calls(gdb) == ["drill_loop", "drill_call", "drill_dive", "drill_call"], calls(gdb)
        assert recorded(gdb)[2] == 0
        whole = re.findall(r"^[= ][> ] +0x([0-9a-f]+) ", gdb("disassemble drill_loop"), re.M)
        code = {int(address, 16) for address in whole}
        loop = [int(pc, 16) for pc, name in instructions(gdb) if name == "drill_loop"]
        assert set(loop) <= code
        assert max(loop.count(pc) for pc in code) == ROUNDS, loop
        jumps = [at for at, (pc, after) in enumerate(zip(loop, loop[1:])) if after < pc]
        assert len(jumps) == ROUNDS - 1, loop
        # Going on adds to it.
        gdb("continue")
        assert calls(gdb)[4:] == ["drill_loop", "drill_call", "drill_dive", "drill_call"]
        assert gdb.value("drill_wrong") == "0"


@test
def backwards_and_forwards():
    with drill() as guest, attach(guest) as gdb:
        record_a_call(gdb)
        end, count = gdb.value("$pc"), recorded(gdb)[0]
        history = [pc for pc, _ in instructions(gdb)]
        for at in (-1, -2, -3):
            gdb("reverse-stepi")
            assert int(gdb.value("(long)$pc")) == int(history[at], 16)
        assert f"At instruction {count - 2}." in gdb("info record")
        gdb("stepi")
        assert int(gdb.value("(long)$pc")) == int(history[-2], 16)
        gdb("delete")
        gdb("break drill_dive")
        gdb("reverse-continue")
        gdb("record goto end")
        gdb("tbreak *drill_call")
        assert "drill_call" in gdb("reverse-continue")
        gdb("stepi 3")
        text = gdb("reverse-finish")
        assert "drill_dive" in text, text
        assert "while (depth == 0)" in gdb("reverse-next")
        gdb("delete")
        assert "No more reverse-execution history" in gdb("reverse-continue")
        assert int(gdb.value("(long)$pc")) == int(history[0], 16)
        assert "No more reverse-execution history" in gdb("continue")
        assert gdb.value("$pc") == end
        # And on in the guest itself.
        gdb("tbreak drill_call")
        assert "drill_call" in gdb("continue")
        assert gdb.value("drill_wrong") == "0"


@test
def steps_are_recorded_one_by_one():
    with drill() as guest, attach(guest) as gdb:
        record_a_call(gdb)
        gdb("delete")
        count = recorded(gdb)[0]
        for _ in range(7):
            pc = int(gdb.value("(long)$pc"))
            gdb("stepi")
            count += 1
            assert recorded(gdb)[0] == count
            assert int(instructions(gdb)[-1][0], 16) == pc
        gdb("next")
        gdb("next")
        assert "drill_call" in gdb("frame")
        assert recorded(gdb)[0] > count + ROUNDS and recorded(gdb)[2] == 0


@test
def threads_have_histories_of_their_own():
    with drill(threads=3, cpus=2) as guest, attach(guest) as gdb:
        record_a_call(gdb)
        seen = {}
        while len(seen) < 4 or min(seen.values()) < 3:
            assert "hit Breakpoint" in gdb("continue")
            thread = gdb.thread()
            seen[thread] = seen.get(thread, 0) + 1
        for thread in seen:
            gdb(f"thread {thread}")
            functions = calls(gdb)
            assert functions.count("drill_loop") >= 2 and "drill_call" in functions, functions
            # Of a thread that ran long the oldest is lost.
            assert not any(GAP in function for function in functions[1:]), functions
        assert gdb.value("drill_wrong") == "0"
        gdb("record stop")
        gdb("delete")
        gdb("detach")
        runs_at_full_speed(guest)


@test
def what_stops_a_thread_stops_a_recorded_one():
    with drill(cpus=2) as guest, attach(guest) as gdb:
        record_a_call(gdb)
        thread = gdb.thread()
        gdb("delete")
        done = int(gdb.value("drill_calls"))
        gdb(f"break drill_call if drill_calls == {done + 3}")
        assert "hit Breakpoint" in gdb("continue")
        assert int(gdb.value("drill_calls")) == done + 3
        assert calls(gdb).count("drill_dive") >= 3 and recorded(gdb)[2] == 0
        gdb("delete")
        gdb("watch drill_calls")
        text = gdb("continue")
        assert f"Old value = {done + 3}" in text and f"New value = {done + 4}" in text, text
        assert calls(gdb)[-1] == "drill_call" and recorded(gdb)[2] == 0
        gdb("delete")
        gdb("hbreak drill_loop")
        text = gdb("continue")
        assert "hit" in text, text
        gdb("delete")
        gdb.send("continue")
        assert "SIGINT" in gdb.interrupt()
        gdb(f"thread {thread}")
        assert gdb.flags() & 0x100 == 0
        assert gdb.value("drill_wrong") == "0"


@test
def what_is_lost_is_told():
    with drill(rounds=1 << 40) as guest, attach(guest) as gdb:
        while "drill_loop" not in gdb("frame"):
            gdb.send("continue")
            gdb.interrupt()
        gdb("set record btrace bts buffer-size 512")
        gdb("record btrace")
        assert "Buffer size: 512." in gdb("info record")
        assert recorded(gdb)[2] == 0
        gdb(f"break *$pc if $rdi == {int(gdb.value('left')) - 100}")
        assert "hit Breakpoint" in gdb("continue")
        # 32 blocks are kept of 100 and more.
        assert recorded(gdb)[2] == 1, gdb("info record")
        assert GAP in calls(gdb)[0] and calls(gdb)[-1] == "drill_loop", calls(gdb)
        assert len(instructions(gdb)) > 32


def instructions_of(image):
    """{address: (instruction, function, address of the one behind it)}"""
    found, name = [], ""
    text = run("objdump", "-d", "--no-show-raw-insn", image).stdout
    for line in text.splitlines():
        if head := re.match(r"[0-9a-f]+ <(.*)>:", line):
            name = head.group(1)
        elif word := re.match(r" *([0-9a-f]+):\s+(.*)", line):
            found.append((int(word.group(1), 16), word.group(2), name))
    return {at: (word, name, after[0]) for (at, word, name), after in zip(found, found[1:])}


def read_blocks(gdb):
    """The blocks of the thread of Hg, the oldest first, without the gap in front of them."""
    text = b""
    while not text.endswith(b"</btrace>\n"):
        piece = gdb.ask(b"qXfer:btrace:read:all:%x,1000" % len(text))
        assert piece[:1] in (b"m", b"l"), piece
        text += piece[1:]
    found = re.findall(rb'begin="0x([0-9a-f]+)" end="0x([0-9a-f]+)"', text)
    blocks = [(int(begin, 16), int(end, 16)) for begin, end in reversed(found)]
    return blocks if blocks[0][1] else blocks[1:]


def check_blocks(blocks, code):
    """That each leads to the next. Returns how often the thread gave up its CPU."""
    switches = 0
    for (begin, end), (after, _) in zip(blocks, blocks[1:]):
        at = begin
        while at != end:
            word, _, following = code[at]
            assert not re.match("jmp|call|ret|iret", word), f"{at:#x} in {begin:#x} to {end:#x}"
            at = following
        word, name, following = code[end]
        assert after == following or re.match("j|call|ret|iret", word), f"{end:#x}: {word}"
        switches += name == "thread_switch_end"
    return switches


@test
def a_thread_that_moves_or_waits_is_followed():
    with Guest("shop", "--cpus", "2") as guest:
        guest.wait_for_thread("dispatcher")
        code = instructions_of(guest.image)
        with Remote(guest.socket("gdb")) as gdb:
            for thread in gdb.threads():
                text = gdb.ask(b"qThreadExtraInfo,%x" % thread).decode()
                if bytes.fromhex(text).startswith(b"dispatcher"):
                    break
            gdb.ok(b"Hg%x" % thread)
            gdb.ok(b"Qbtrace:bts")

            def was_switched():
                gdb.resume(b"vCont;c", 0.3)
                gdb.ok(b"Hg%x" % thread)
                return check_blocks(read_blocks(gdb), code)

            wait_for("the thread to give up its CPU", was_switched, timeout=60)


@test
def a_killed_gdb_ends_it():
    with drill(threads=2, cpus=2) as guest:
        for _ in range(3):
            with attach(guest) as gdb:
                record_a_call(gdb)
                gdb("delete")
                gdb.send("continue")
                gdb.wait("word of it", 30, lambda: b"Continuing." in gdb.text)
                gdb.kill()
        runs_at_full_speed(guest)


@test
def a_recorded_program_ends():
    with Guest("hello", arguments=["gdbwait"]) as guest, attach(guest) as gdb:
        gdb("break app_main")
        gdb("continue")
        gdb("record btrace")
        gdb("finish")
        assert "app_main" in calls(gdb) and "console_printf" in calls(gdb)
        assert "exited normally" in gdb("continue")


@test
def a_dump_has_no_trace_of_it():
    with Guest("crash", "--cpus", "2", arguments=["kind=null-write", "gdbwait"]) as guest:
        with attach(guest) as gdb:
            gdb("break crash_null_write")
            gdb("continue")
            gdb("record btrace")
            assert "SIGSEGV" in gdb("continue")
            assert "crash_null_write" in calls(gdb)[-1]
            gdb.send("continue")
            wait_for("the dump", lambda: guest.name in uniscope("dumps").stdout)
        text = uniscope("dumps", "info", guest.name).stdout
        assert "crash_null_write" in text and "wait_for_mutex" in text, text
        assert "debug_landing" not in text, text


main()
