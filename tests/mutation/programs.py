# SPDX-License-Identifier: MIT
"""The test programs of a build, their tests, and one of them run alone."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time
from dataclasses import dataclass

from harness import descendants

TAP_LINE = re.compile(r"^(ok|not ok) (?:\d+ )?- (.*?)(?:\s+\(\d+\.\d+s\))?( # SKIP.*)?$", re.M)
CRITERION_LIST = re.compile(r"^(\w+): \d+ test|^[├└]── (\w+)", re.M)


@dataclass(frozen=True)
class Test:
    program: str
    command: tuple
    name: str

    def __str__(self):
        return f"{self.program}: {pathlib.PurePath(self.name).name}"


@dataclass(frozen=True)
class Result:
    passed: bool
    why: str  # the first line of what a failure said
    seconds: float


def listed_by(command, environment):
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True).stdout


def tests(build, suites):
    """Every test of the build's programs in these suites."""
    listed = subprocess.run(["meson", "introspect", "--tests", build], check=True, capture_output=True)
    for program in json.loads(listed.stdout):
        command = program["cmd"]
        if not set(suite.split(":")[-1] for suite in program["suite"]) & set(suites):
            continue
        if command[-1].endswith(".py"):
            for name in listed_by((*command, "--list"), program["env"]).splitlines():
                yield Test(program["name"], (*command, name), name)
        elif program["name"].startswith("fuzz "):
            for name in command[1:]:
                yield Test(program["name"], (command[0], name), name)
            yield Test(program["name"], (command[0],), "made-up inputs")
        elif "--tap" in command:
            suite = ""
            for group, name in CRITERION_LIST.findall(listed_by((command[0], "--list"), program["env"])):
                suite = group or suite
                if name:
                    yield Test(program["name"], (*command, "--filter", f"{suite}/{name}"), f"{suite}::{name}")


def judge(test, text, status):
    for outcome, name, skipped in TAP_LINE.findall(text):
        if name == test.name and not skipped:
            return outcome == "ok"
    return status == 0 and f"- {test.name}" in text


def complaint(text):
    """What a reader would look at first: an assertion of Criterion's, or the end of a traceback."""
    assertion = re.search(r"Assertion failed: (.*)|(?:caught|received) (.*signal.*)|^(==\d+==ERROR.*)", text, re.M)
    error = re.findall(r"^# (\w*(?:Error|Expired|Exception).*)", text, re.M)
    line = assertion.group() if assertion else error[-1] if error else text.strip().rpartition("\n")[2]
    return line.strip()[:200]


def run(test, environment, limit):
    """Runs it alone. What outlives the limit failed."""
    mark = f"UNI_MUTATION={os.getpid()}"
    environment = {**os.environ, **environment, "UNI_MUTATION": str(os.getpid())}
    start = time.monotonic()
    process = subprocess.Popen(
        test.command,
        cwd=environment["UNI_BUILD"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        text = process.communicate(timeout=limit)[0]
        passed, why = judge(test, text, process.returncode), complaint(text)
    except subprocess.TimeoutExpired:
        passed, why = False, f"did not end in {limit:.0f} s"
    finally:
        for pid in descendants(mark.encode()):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        process.kill()
        process.wait()
    return Result(passed, "" if passed else why, time.monotonic() - start)
