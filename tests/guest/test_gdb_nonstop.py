# SPDX-License-Identifier: MIT
"""Threads that gdb stops one by one while others run."""

import re
import signal

from gdb_session import OPTIONS, PROMPT, Gdb
from harness import Guest, main, test, wait_for

DRILLERS = ("main", "driller-0", "driller-1")
BREAKPOINT = r"hit (?:Temporary )?[Bb]reakpoint \d+, "


class NonStop(Gdb):
    """gdb in non-stop mode. A stop comes behind the prompt of whatever command there was."""

    def __init__(self, guest):
        options = [*OPTIONS, "remotetimeout 30", "non-stop on", "mi-async on"]
        self.stopped = ""  # what was printed and may have a stop in it
        self.start(["gdb", "-nx", "-q", *(w for o in options for w in ("-iex", f"set {o}")), str(guest.image)])
        self.greeting = self(f"target remote {guest.socket('gdb')}")
        found = re.findall(r'^[* ] (\d+) +Thread 1\.(\d+) "([^"]*)"', self("info threads"), re.M)
        self.numbers = {name: int(number) for number, _, name in found}
        self.ids = {name: int(thread) for _, thread, name in found}
        self.stopped = ""

    def read(self, timeout=30):
        self.wait("prompt", timeout, lambda: PROMPT in self.text)
        text, _, self.text = self.text.partition(PROMPT)
        self.stopped += text.decode()
        return text.decode()

    def stop(self, name, why="stopped"):
        """Waits until the thread stops and returns where; that stop is not to be seen again."""
        pattern = re.compile(rf'^Thread \d+ "{name}" (.*)\n(.*)\n', re.M)
        self.wait(f"stop of {name}", 30, lambda: pattern.search(self.printed()))
        text = self.printed()
        found = pattern.search(text)
        assert re.match(why, found.group(1)), found.group()
        self.stopped, self.text = text[: found.start()] + text[found.end() :], b""
        return found.group()

    def printed(self):
        return self.stopped + self.text.decode(errors="replace")

    def no_stop(self):
        assert not re.search(r'^Thread \d+ "', self.printed(), re.M), self.printed()

    def select(self, name):
        return self(f"thread {self.numbers[name]}")

    def interrupt_thread(self, name):
        self.select(name)
        self("interrupt")
        return self.stop(name)

    def state(self, name):
        return re.search(rf'^[* ] \d+ +Thread [^"]*"{name}" (.*)$', self("info threads"), re.M).group(1)

    def running(self):
        """How many threads gdb believes to run. What the guest says of one stands before that."""
        return len(re.findall(r"\(running\)$", self("info threads"), re.M))

    def calls(self):
        assert self.value("drill_wrong") == "0"
        return int(self.value("drill_calls"))

    def others_run(self):
        before = self.calls()
        wait_for("calls", lambda: self.calls() > before + 2)

    def on_cpus(self):
        """{CPU: (thread's name, pc)}, threads that are stopped and keep their CPU among them."""
        found = re.findall(r"^CPU (\d+): (\S+) at 0x([0-9a-f]+)$", self("monitor cpus"), re.M)
        return {int(cpu): (name, int(pc, 16)) for cpu, name, pc in found}

    def keeps_no_cpu(self, name):
        """The CPU that it was stopped on runs others."""
        assert name not in [thread for thread, _ in self.on_cpus().values()], self.on_cpus()

    def registers(self):
        """Those that are known of a thread on no CPU too, as gdb knows them and as the guest has them."""

        def values():
            return [self.value(f"(long){name}") for name in ("$pc", "$rsp", "$rbx", "$rbp")]

        known = values()
        self("maintenance flush register-cache")
        assert values() == known, f"{values()} were {known}"
        return known


def drill(*arguments):
    return Guest("drill", "--cpus", "2", arguments=["threads=2", *arguments])


def goes_on(guest):
    """Nothing of a gdb is left in the guest: each thread runs."""
    with Gdb(guest.image, guest.socket("gdb")) as gdb:
        text = gdb("info threads")
        assert "stopped by gdb" not in text, text
        for name in DRILLERS:
            gdb(f"tbreak drill_call if $us_thread == {gdb_id(gdb, name)}")
            assert "hit Temporary breakpoint" in gdb("continue")
        assert gdb.value("drill_wrong") == "0"
        gdb("detach")


def gdb_id(gdb, name):
    return re.search(rf'Thread 1\.(\d+) "{name}"', gdb("info threads")).group(1)


@test
def one_thread_is_stopped_while_others_run():
    with drill() as guest, NonStop(guest) as gdb:
        gdb.interrupt_thread("driller-0")
        registers = gdb.registers()
        assert "stopped by gdb" in gdb.state("driller-0")
        assert gdb.state("driller-1").endswith("(running)")
        gdb.others_run()
        gdb.keeps_no_cpu("driller-0")
        assert gdb.registers() == registers
        assert "debug_" not in gdb("bt")
        gdb("continue &")
        gdb.interrupt_thread("driller-0")
        gdb.others_run()
        gdb.no_stop()


@test
def a_breakpoint_stops_one_thread():
    with drill() as guest, NonStop(guest) as gdb:
        gdb(f"break drill_call if $us_thread == {gdb.ids['driller-1']}")
        for _ in range(3):
            assert "drill_call" in gdb.stop("driller-1", BREAKPOINT)
            gdb.select("driller-1")
            gdb.others_run()
            assert re.search(r"#1 .*\bwork \(", gdb("bt"))
            gdb("continue &")
        gdb.stop("driller-1", BREAKPOINT)
        gdb.no_stop()


@test
def one_thread_steps_while_others_run():
    with drill() as guest, NonStop(guest) as gdb:
        gdb(f"tbreak drill_call if $us_thread == {gdb.ids['driller-0']}")
        gdb.stop("driller-0", BREAKPOINT)
        gdb.select("driller-0")
        pc = int(gdb.value("(long)$pc"))
        for _ in range(5):
            gdb("stepi")
            assert int(gdb.value("(long)$pc")) != pc, "a step went nowhere"
            pc = int(gdb.value("(long)$pc"))
        before = gdb.calls()
        for caller in ("drill_call ()", "work ("):
            gdb("finish")
            assert caller in gdb("frame")
        gdb("step")
        for _ in range(4):
            assert "drill.c" in gdb("frame")
            gdb("next")
        assert gdb.calls() > before
        gdb.others_run()
        assert not gdb.state("driller-0").endswith("(running)")
        gdb("continue &")
        assert gdb.state("driller-0").endswith("(running)")
        gdb.others_run()


@test
def each_thread_stops_once_at_a_breakpoint_of_all():
    """A second stop of one that gdb has not let go is what gdb 13 dies of."""
    with drill("rounds=20000") as guest, NonStop(guest) as gdb:
        gdb("break drill_call")
        for _ in range(5):
            for name in DRILLERS:
                assert "drill_call" in gdb.stop(name, BREAKPOINT)
            gdb.no_stop()
            calls = gdb.calls()
            for name in DRILLERS:
                assert "drill_call" in gdb.state(name)
            assert gdb.calls() == calls
            gdb("continue -a &")
        gdb("delete")


@test
def all_are_stopped_and_let_go():
    with drill() as guest, NonStop(guest) as gdb:
        for _ in range(8):
            gdb.others_run()
            gdb("interrupt -a")
            for name in gdb.numbers:
                gdb.stop(name)
            gdb.no_stop()
            calls = gdb.calls()
            assert gdb.running() == 0
            assert gdb.calls() == calls
            gdb.select("driller-1")
            gdb("continue &")
            wait_for("the one that may run", lambda: gdb.calls() > calls + 2)
            gdb("continue -a &")
            assert gdb.running() == len(gdb.numbers)


@test
def a_watchpoint_stops_who_writes():
    with drill() as guest, NonStop(guest) as gdb:
        gdb.interrupt_thread("driller-0")
        gdb("watch drill_calls")
        gdb("continue &")
        for name in DRILLERS:
            gdb.stop(name, "hit Hardware watchpoint")
        gdb.no_stop()
        gdb("delete")
        gdb("continue -a &")
        gdb.others_run()


@test
def text_of_the_guest_waits_for_a_monitor_command():
    with drill() as guest, NonStop(guest) as gdb:
        gdb("set dprintf-style agent")
        gdb('dprintf drill_call,"%d calls\\n",drill_calls')
        gdb.others_run()
        assert " calls" not in gdb.printed()
        text = gdb("monitor cpus")
        assert re.search(r"^\d+ calls$", text, re.M), text
        gdb("delete")


@test
def where_nothing_can_be_set_aside_the_cpu_is_held():
    with drill() as guest, NonStop(guest) as gdb:
        gdb("break irq_dispatch if $us_cpu == 1")
        wait_for("a stop", lambda: '"' in gdb("info threads") and "irq_dispatch" in gdb("info threads"))
        held = re.search(r'^[* ] \d+ +Thread [^"]*"([^"]*)".*irq_dispatch', gdb("info threads"), re.M).group(1)
        gdb.stop(held, BREAKPOINT)
        gdb.select(held)
        assert gdb.on_cpus()[1] == (held, int(gdb.value("(long)$pc"))), gdb.on_cpus()
        gdb.others_run()
        gdb("delete")
        gdb("stepi")
        gdb("continue &")
        gdb.others_run()
        gdb.no_stop()


@test
def where_there_is_no_room_the_cpus_are_held():
    places = 32
    with Guest("drill", "--cpus", "2", arguments=["threads=36", "rounds=2000"]) as guest:
        # To begin one asks every CPU to take part, which one that is held does not.
        guest.wait_for_thread("driller-35", timeout=90)
        held_cpus(guest, places)


def held_cpus(guest, places):
    with NonStop(guest) as gdb:

        def stopped():
            return len(re.findall(rf'^Thread \d+ "[^"]*" {BREAKPOINT}', gdb.printed(), re.M))

        def are_free():
            return all(gdb.value(f"(long)'debug_aside.c'::places[{i}].thread") == "0" for i in range(places))

        # gdb stopped them when it came. One that has not run since still has its place.
        wait_for("all threads on their way", are_free, 90)
        gdb("break drill_call")
        gdb.wait("stop of all but a few", 30, lambda: stopped() >= places + 2)
        gdb.select("main")
        assert gdb("info threads").count("drill_call") >= places
        assert stopped() == places + 2, f"{stopped()} stopped"
        gdb("delete")
        gdb("continue -a &")
        gdb.others_run()
        assert gdb.running() == len(gdb.numbers)


@test
def control_c_stops_the_one_that_runs_in_the_foreground():
    with drill() as guest, NonStop(guest) as gdb:
        gdb.interrupt_thread("driller-0")
        gdb("set debug remote 1")  # to see when it goes on: a Ctrl-C that comes before is for others
        for _ in range(2):
            gdb.send("continue")
            gdb.wait("word of it", 30, lambda: re.search(rb"vCont;c.*\n.*received: OK", gdb.text))
            gdb.process.send_signal(signal.SIGINT)
            assert re.search(r'"driller-0" received signal SIGINT', gdb.read())
        gdb.others_run()


@test
def a_breakpoint_on_the_way_off_a_cpu_is_passed():
    """A thread that is stopped gives its CPU away, on a stack of its own."""
    with drill() as guest, NonStop(guest) as gdb:
        places = "'debug_aside.c'::places"
        gdb(f"break account_switch if $rsp >= (long)&{places} && $rsp < (long)(&{places} + 1)")
        for _ in range(5):
            gdb.interrupt_thread("driller-0")
            gdb.others_run()
            gdb.keeps_no_cpu("driller-0")
            gdb("continue &")
        gdb.no_stop()


@test
def a_function_is_called_in_a_thread_that_waits():
    with drill() as guest, NonStop(guest) as gdb:
        gdb.interrupt_thread("reaper")
        registers, trace = gdb.registers(), gdb("bt")
        assert "wait_block" in trace, trace
        for _ in range(3):
            assert int(gdb.value("thread_count()")) > len(DRILLERS)
            assert (gdb.registers(), gdb("bt")) == (registers, trace)
            gdb.others_run()
        gdb.no_stop()
        gdb("continue &")
        gdb.others_run()
        assert gdb.running() == len(gdb.numbers)
        gdb("detach")
        goes_on(guest)


@test
def the_program_waits_for_gdb_and_ends():
    with Guest("hello", "--cpus", "2", arguments=["gdbwait"]) as guest, NonStop(guest) as gdb:
        assert "main" in gdb.numbers, f"it did not wait: {gdb.greeting}"
        gdb.select("main")
        assert "wait_for_gdb" in gdb("bt")
        assert gdb.state("idle/1").endswith("(running)")
        gdb("tbreak app_main")
        gdb("continue &")
        gdb.stop("main", BREAKPOINT)
        gdb.select("main")
        assert "exited normally" in gdb("continue"), gdb.stopped


@test
def threads_come_and_go_while_all_are_stopped():
    crowd = ["threads=4", "life-ms=20", "gdbwait"]
    with Guest("crowd", "--cpus", "2", arguments=crowd) as guest, NonStop(guest) as gdb:

        def newest():
            return max(map(int, re.findall(r"Thread 1\.(\d+)", gdb("info threads"))))

        def all_stop():
            """One that began while others were being stopped runs on."""
            gdb("interrupt -a")
            return gdb.running() == 0

        gdb.select("main")
        gdb("continue &")
        for _ in range(5):
            before = newest()
            wait_for("more threads", lambda: newest() > before)
            wait_for("all to stop", all_stop)
            gdb("continue -a &")
        assert "detached" in gdb("detach")


def loop_result(rounds):
    """What drill_loop() returns."""
    result = 1
    for left in range(rounds, 0, -1):
        result = (result * 31 + left) % (1 << 64)
    return result


@test
def a_function_is_called_in_a_thread_that_is_stopped():
    rounds = 300000
    with drill() as guest, NonStop(guest) as gdb:
        gdb.interrupt_thread("main")
        gdb(f"tbreak drill_call if $us_thread == {gdb.ids['driller-0']}")
        gdb.stop("driller-0", BREAKPOINT)
        gdb.select("driller-0")
        for _ in range(3):
            registers = gdb.registers()
            assert int(gdb.value(f"drill_loop({rounds})")) == loop_result(rounds)
            assert gdb.registers() == registers
            gdb.others_run()
        assert "stopped by gdb" in gdb.state("main")
        gdb.no_stop()
        gdb("continue -a &")
        gdb.others_run()


@test
def the_death_of_gdb_in_the_middle_of_a_call():
    with drill() as guest:
        gdb = NonStop(guest)
        gdb(f"tbreak drill_call if $us_thread == {gdb.ids['driller-0']}")
        gdb.stop("driller-0", BREAKPOINT)
        gdb.select("driller-0")
        gdb("set debug remote 1")  # to see when the function runs
        gdb.send("print drill_loop(1 << 26)")
        gdb.wait("word of it", 30, lambda: re.search(rb"vCont;c.*\n.*received: OK", gdb.text))
        gdb.kill()
        goes_on(guest)


@test
def detach_lets_all_go():
    with drill() as guest:
        with NonStop(guest) as gdb:
            gdb.interrupt_thread("driller-0")
            gdb(f"break drill_call if $us_thread == {gdb.ids['main']}")
            gdb.stop("main", BREAKPOINT)
            assert "detached" in gdb("detach")
        goes_on(guest)


@test
def the_death_of_gdb_lets_all_go():
    with drill() as guest:
        for _ in range(2):
            gdb = NonStop(guest)
            gdb("interrupt -a")
            for name in DRILLERS:
                gdb.stop(name)
            gdb.select("main")
            gdb("break drill_call")
            gdb("continue &")
            gdb.stop("main", BREAKPOINT)
            gdb.kill()
        goes_on(guest)


main()
