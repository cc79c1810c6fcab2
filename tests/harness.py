# SPDX-License-Identifier: MIT
"""What the Python tests share: TAP output, a private home, and guests booted by uniscope itself.

    from harness import Guest, main, test

    @test
    def lists_the_guest_that_runs():
        with Guest("shop", "--cpus", "2") as guest:
            assert guest.name in guest.uniscope("list").stdout

    main()

A test passes when it returns and fails when it raises; skip(reason) skips it. Each program has a
HOME, XDG_RUNTIME_DIR and XDG_STATE_HOME of its own, removed at its end, and main() fails the program
if a test left a process behind. UNI_BUILD and UNI_SOURCE come from meson; by hand they default to
build/ and the folder above this file.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

SOURCE = pathlib.Path(os.environ.get("UNI_SOURCE", pathlib.Path(__file__).resolve().parent.parent))
BUILD = pathlib.Path(os.environ.get("UNI_BUILD", SOURCE / "build"))
UNISCOPE = BUILD / "host-tools" / "uniscope"
UNITOP = BUILD / "tui" / "unitop"

_tests = []


class Skipped(Exception):
    """Raised by skip()."""


def skip(reason):
    """Ends the running test as skipped, with the reason in the TAP line."""
    raise Skipped(reason)


def test(function):
    """Registers a test; its name is the function's, with spaces."""
    _tests.append(function)
    return function


def image(name):
    """The path of a guest image of this build, by its short name."""
    return BUILD / "kernel" / f"{name}.elf"


def run(*command, timeout=60, check=True, **options):
    """Runs a command, captures its text, and raises with all of it when it fails."""
    result = subprocess.run(
        [str(word) for word in command],
        stdin=options.pop("stdin", subprocess.DEVNULL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        timeout=timeout,
        **options,
    )
    if check and result.returncode != 0:
        raise AssertionError(describe(command, result))
    return result


def describe(command, result):
    """A failed command in words: what it was, how it ended, what it said."""
    words = " ".join(str(word) for word in command)
    return f"{words}\nexit {result.returncode}\nstdout: {result.stdout}\nstderr: {result.stderr}"


def uniscope(*arguments, **options):
    """Runs `uniscope ARGUMENTS`."""
    return run(UNISCOPE, *arguments, **options)


def wait_for(what, condition, timeout=20.0):
    """Polls until condition() is true and returns its value; raises naming `what` otherwise."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        time.sleep(0.02)


class Guest:
    """A guest under `uniscope run --detach`, stopped when the block ends.

    `options` go to `run`; `arguments` (a list) go to the guest after `--`.
    """

    count = 0

    def __init__(self, application, *options, name=None, arguments=()):
        Guest.count += 1
        self.name = name or f"{application}-{os.getpid()}-{Guest.count}"
        self.image = image(application)
        self.options = options
        self.arguments = arguments

    def __enter__(self):
        words = ["run", "--detach", "--name", self.name, *self.options, self.image]
        if self.arguments:
            words += ["--", *self.arguments]
        uniscope(*words)
        return self

    def __exit__(self, *_):
        uniscope("stop", self.name, check=False)

    def uniscope(self, *arguments, **options):
        """Runs `uniscope ARGUMENTS`; write the guest's name among them where it belongs."""
        return uniscope(*arguments, **options)

    def wait_for_thread(self, name, state=None, timeout=20):
        """Until the application is as far as a thread of this name, in this state if one is given."""

        def has_it():
            stat = json.loads(uniscope("stat", self.name, "--json", "--interval", "0.1").stdout)
            return any(t["name"] == name and state in (None, t["state"]) for t in stat["threads"])

        wait_for(f"thread {name}", has_it, timeout)

    @property
    def runtime(self):
        """The guest's runtime folder, with its sockets."""
        return pathlib.Path(os.environ["XDG_RUNTIME_DIR"]) / "uniscope" / self.name

    def socket(self, name):
        """The path of one of its sockets: "gdb", "probe", "console", "app"."""
        return self.runtime / f"{name}.sock"


@contextlib.contextmanager
def private_home():
    """Points HOME and the XDG folders into a short-lived folder (short: socket paths are)."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="uni-", dir="/tmp"))
    for variable, name in (
        ("HOME", "home"),
        ("XDG_RUNTIME_DIR", "run"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_CACHE_HOME", "cache"),
    ):
        (folder / name).mkdir(mode=0o700)
        os.environ[variable] = str(folder / name)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def descendants(mark):
    """Processes whose environment has `mark`, which is how a test's children are known."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue
    return found


def _report(number, name, outcome, details=""):
    print(f"{outcome} {number} - {name}", flush=True)
    for line in details.splitlines():
        print(f"# {line}", flush=True)


def _run_one(number, function, mark):
    name = function.__name__.replace("_", " ")
    try:
        function()
        # Processes that are ending may take a moment to be gone.
        with contextlib.suppress(AssertionError):
            wait_for("children to end", lambda: not descendants(mark), timeout=5)
        left = descendants(mark)
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        assert not left, f"left behind: {left}"
        _report(number, name, "ok")
        return True
    except Skipped as reason:
        print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        return True
    except Exception:  # every failure of a test is a line of the report
        for pid in descendants(mark):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        _report(number, name, "not ok", traceback.format_exc())
        return False


def main():
    """Runs the registered tests (or those whose names contain an argument) and exits; --list names them."""
    if sys.argv[1:] == ["--list"]:
        print("\n".join(function.__name__.replace("_", " ") for function in _tests))
        return
    wanted = [word.replace("_", " ") for word in sys.argv[1:]]
    chosen = [
        function
        for function in _tests
        if not wanted or any(word in function.__name__.replace("_", " ") for word in wanted)
    ]
    mark = f"UNI_TEST={os.getpid()}"
    os.environ["UNI_TEST"] = str(os.getpid())
    print(f"1..{len(chosen)}", flush=True)
    with private_home():
        results = [_run_one(n, f, mark.encode()) for n, f in enumerate(chosen, 1)]
    sys.exit(0 if all(results) else 1)
