# SPDX-License-Identifier: MIT
"""The folder table of ARCHITECTURE.md against the real #include lines, and the rules beside it."""

import re

from harness import SOURCE, main, run, test

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)
FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "limits.h", "stdalign.h"}
GUEST_ROOMS = ("tracing", "gdbstub", "guest-probe")


def sources(*suffixes):
    """Files of the tree, tracked or about to be, with their text."""
    listed = run("git", "-C", SOURCE, "ls-files", "-co", "--exclude-standard").stdout.splitlines()
    for name in listed:
        path = SOURCE / name
        if name.endswith(suffixes) and path.is_file():
            yield name, path.read_text(encoding="utf-8", errors="replace")


def folder_table():
    """folder -> folders it may include, as ARCHITECTURE.md says."""
    table = {}
    for line in (SOURCE / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 3:
            folder = cells[0].strip("`")
            table[folder] = re.findall(r"`([^`]+)`", cells[2])
    assert len(table) >= 8, f"no folder table found: {table}"
    return table


def resolve(name, quote, target):
    """The path in the tree that an include names, or None for one outside it."""
    here = (SOURCE / name).parent
    for base in (here, SOURCE) if quote == '"' else (SOURCE,):
        path = (base / target).resolve()
        if path.is_file() and path.is_relative_to(SOURCE):
            return path.relative_to(SOURCE).as_posix()
    return None


@test
def every_include_follows_the_folder_table():
    table = folder_table()
    wrong, seen = [], 0
    for name, text in sources(".c", ".h", ".S"):
        # The innermost folder that the table names speaks.
        folder = max((f for f in table if name.startswith(f)), key=len, default=None)
        if folder is None:
            wrong.append(f"{name}: no folder of it in the table")
            continue
        for quote, target in INCLUDE.findall(text):
            path = resolve(name, quote, target)
            if path is None:
                if quote == '"':
                    wrong.append(f'{name}: "{target}" is not in the tree')
                continue
            seen += 1
            if not any(path.startswith(allowed) for allowed in table[folder]):
                wrong.append(f"{name}: includes {path}")
    assert not wrong, "\n".join(wrong)
    assert seen > 50, f"only {seen} includes seen"


@test
def guest_rooms_include_freestanding_headers_only():
    wrong = [
        f"{name}: <{target}>"
        for name, text in sources(".c", ".h", ".S")
        if name.startswith(tuple(f"{room}/" for room in GUEST_ROOMS)) and "/hosted/" not in name
        for quote, target in INCLUDE.findall(text)
        if quote == "<" and target not in FREESTANDING
    ]
    assert not wrong, "\n".join(wrong)


@test
def ncurses_stays_in_the_views():
    wrong = [
        name
        for name, text in sources(".c", ".h")
        if re.search(r"#\s*include\s+<n?curses", text) and not name.startswith("tui/view_")
    ]
    assert not wrong, "\n".join(wrong)


@test
def no_cycles_between_folders():
    edges = {}
    for name, text in sources(".c", ".h"):
        for quote, target in INCLUDE.findall(text):
            path = resolve(name, quote, target)
            if path and path.split("/")[0] != name.split("/")[0]:
                edges.setdefault(name.split("/")[0], set()).add(path.split("/")[0])

    def reach(folder, seen):
        for other in edges.get(folder, ()):
            if other not in seen:
                seen.add(other)
                reach(other, seen)
        return seen

    cycles = [folder for folder in edges if folder in reach(folder, set())]
    assert not cycles, f"in a cycle: {cycles}"


main()
