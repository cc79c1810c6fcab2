# SPDX-License-Identifier: MIT
"""Adds up a meson test log: every TAP line counts, and a program that died counts as a failure.

    tally.py testlog.json

Shows what programs with failures said, names what failed and what was skipped with its reason, and
ends with the line `N passed, N failed, N skipped`. Exits 1 when something failed or nothing ran.
"""

import json
import re
import sys

LINE = re.compile(r"^\s*(not )?ok\b[ \d]*(?:- )?([^#]*)(?:# *SKIP\S* *(.*))?", re.IGNORECASE)
PLAN = re.compile(r"^1\.\.(\d+)")

# Lines of one program that are shown: a console or a gdb's log may be long.
SHOWN = 200


def count(program):
    """(passed, failed, skipped) of one test program: names, and (name, reason) for the skipped."""
    passed, failed, skipped = [], [], []
    planned = None
    for line in program.get("stdout", "").splitlines():
        plan = PLAN.match(line)
        if plan:
            planned = int(plan.group(1))
            continue
        match = LINE.match(line)
        if not match:
            continue
        name = f"{program['name']}: {match.group(2).strip()}"
        if match.group(1):
            failed.append(name)
        elif match.group(3) is not None:
            skipped.append((name, match.group(3)))
        else:
            passed.append(name)
    seen = len(passed) + len(failed) + len(skipped)
    if program["result"] not in ("OK", "SKIP") and not failed:
        failed.append(f"{program['name']}: the program ended as {program['result']}")
    elif planned is not None and planned != seen and not failed:
        failed.append(f"{program['name']}: {seen} of {planned} tests reported")
    elif seen == 0:
        failed.append(f"{program['name']}: reported no test")
    return passed, failed, skipped


def show(program):
    lines = [x for x in program.get("stdout", "").splitlines() if not x.startswith("ok ")]
    print(f"--- {program['name']}")
    print("\n".join(lines[-SHOWN:]))


def main():
    passed, failed, skipped = [], [], []
    try:
        with open(sys.argv[1], encoding="utf-8") as log:
            programs = [json.loads(line) for line in log]
    except OSError as error:
        sys.exit(f"tally: {error}")
    for program in programs:
        counts = count(program)
        if counts[1]:
            show(program)
        for total, part in zip((passed, failed, skipped), counts):
            total.extend(part)
    for name, reason in skipped:
        print(f"skipped: {name}: {reason}")
    for name in failed:
        print(f"failed: {name}")
    print(f"{len(passed)} passed, {len(failed)} failed, {len(skipped)} skipped")
    sys.exit(1 if failed or not passed else 0)


main()
