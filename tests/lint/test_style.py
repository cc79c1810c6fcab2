# SPDX-License-Identifier: MIT
"""Layout, names and licences of the sources; shell scripts; man pages against --help."""

import json
import re
import shlex

from harness import BUILD, SOURCE, UNISCOPE, UNITOP, main, run, test
from mutation.edits import EDITS


def files(*patterns):
    listed = run("git", "-C", SOURCE, "ls-files", "-co", "--exclude-standard", *patterns).stdout
    return [name for name in listed.splitlines() if (SOURCE / name).is_file()]


@test
def sources_are_laid_out_by_clang_format():
    names = [SOURCE / name for name in files("*.c", "*.h")]
    result = run("clang-format-14", "--dry-run", "-Werror", *names, check=False, timeout=120)
    places = sorted({line.split(":")[0] for line in result.stderr.splitlines() if ": error:" in line})
    assert result.returncode == 0, "run ./dev format; wrong: " + ", ".join(places)


@test
def every_source_names_its_licence():
    names = files("*.c", "*.h", "*.S", "*.py", "*.ld", "*.sh", "*meson.build", "dev", ".ci/run")
    wrong = [n for n in names if "SPDX-License-Identifier:" not in (SOURCE / n).read_text()[:300]]
    assert not wrong, "\n".join(wrong)


@test
def no_file_is_named_after_nothing():
    wrong = [n for n in files() if re.search(r"(^|/)(utils?|common|misc|helpers?)\.\w+$", n)]
    assert not wrong, "\n".join(wrong)


@test
def no_file_is_longer_than_800_lines():
    wrong = [n for n in files("*.c", "*.h", "*.S", "*.py") if (SOURCE / n).read_text().count("\n") > 800]
    assert not wrong, "\n".join(wrong)


@test
def each_mutant_of_a_hand_has_its_place():
    wrong = [
        f"{edit.test}: {edit.file} has no {edit.old!r}"
        for edit in EDITS
        if edit.old and edit.old not in (SOURCE / edit.file).read_text()
    ]
    names = [edit.test for edit in EDITS]
    wrong += [f"{name}: twice" for name in sorted(set(names)) if names.count(name) > 1]
    assert not wrong, "mend tests/mutation/edits.py:\n" + "\n".join(wrong)


@test
def shell_scripts_pass_shellcheck():
    scripts = [n for n in files() if (SOURCE / n).read_bytes()[:20].startswith((b"#!/usr/bin/env bash", b"#!/bin/sh"))]
    run("shellcheck", *[SOURCE / n for n in scripts])


def options_of_help(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


def check_page(name, page, help_text):
    assert page.is_file(), f"{name}: no man page {page.name}"
    source = page.read_text().replace("\\", "").replace("*", "").replace("_", " ")
    missing = sorted(option for option in options_of_help(help_text) if option not in source)
    assert not missing, f"{name}: {page.name} does not have {missing}"
    extra = sorted(
        option
        for option in set(re.findall(r"^\*(?:-\w\*, \*)?(--[a-z][a-z-]*)", page.read_text(), re.M))
        if option not in help_text
    )
    assert not extra, f"{name}: {page.name} has {extra}, --help does not"


@test
def man_pages_and_help_agree():
    listing = run(UNISCOPE, "--help").stdout
    commands = re.findall(r"^  ([a-z]+)\s{2,}", listing, re.M)
    assert len(commands) >= 9, f"commands seen in --help: {commands}"
    for command in commands:
        if command == "help":
            continue
        text = run(UNISCOPE, command, "--help").stdout
        check_page(command, SOURCE / "docs" / "man" / f"uniscope-{command}.1.scd", text)
    check_page("unitop", SOURCE / "docs" / "man" / "unitop.1.scd", run(UNITOP, "--help").stdout)


@test
def links_in_the_documents_lead_somewhere():
    wrong = []
    for name in files("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (SOURCE / name).read_text()):
            if not ((SOURCE / name).parent / target).exists():
                wrong.append(f"{name}: {target}")
    assert not wrong, "\n".join(wrong)


@test
def clang_compiles_the_host_code_without_a_warning():
    database = json.loads((BUILD / "compile_commands.json").read_text())
    failed, count = [], 0
    for entry in database:
        if "/host-tools/" not in entry["file"] and "/tui/" not in entry["file"]:
            continue
        words = shlex.split(entry["command"])
        flags = [w for w in words[1:] if w.startswith(("-I", "-D", "-std", "-isystem"))]
        result = run(
            "clang-14", *flags, "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter",
            "-fsyntax-only", entry["file"], check=False, cwd=entry["directory"],
        )
        count += 1
        if result.returncode:
            failed.append(result.stderr.splitlines()[0])
    assert not failed, "\n".join(failed)
    assert count > 10, f"only {count} files seen"


main()
