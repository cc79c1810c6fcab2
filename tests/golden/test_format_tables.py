# SPDX-License-Identifier: MIT
"""The offset tables of docs/formats/ against what the compiler makes of the ABI headers."""

import re

from harness import SOURCE, main, run, test

TABLE = re.compile(r"^`struct (\w+)`, (\d+) bytes\n\n\| offset .*\n\|---.*\n((?:\|.*\n?)+)", re.M)
ROW = re.compile(r"^\| (\d+) \| (\d+) \| `(\w+)` \|", re.M)

DOCUMENTS = {
    "trace.md": ["tracing/trace_abi.h"],
    "frames.md": ["guest-probe/probe_abi.h"],
    "dump.md": ["guest-probe/dump_abi.h", "guest-probe/arch/x86_64/core_abi.h"],
}


def tables(document):
    """(structure, its size, [(offset, size, field)]) of each table."""
    text = (SOURCE / "docs" / "formats" / document).read_text()
    for name, size, rows in TABLE.findall(text):
        fields = [(int(offset), int(len_), field) for offset, len_, field in ROW.findall(rows)]
        yield name, int(size), fields


def structures(header):
    return re.findall(r"^struct (\w+) \{", (SOURCE / header).read_text(), re.M)


def check_with_compiler(document):
    lines = ["#include <stddef.h>", *(f'#include "{name}"' for name in DOCUMENTS[document])]
    for name, size, fields in tables(document):
        lines.append(f'_Static_assert(sizeof(struct {name}) == {size}, "size of {name}");')
        for offset, len_, field in fields:
            member = f"((struct {name} *)0)->{field}"
            lines.append(f'_Static_assert(offsetof(struct {name}, {field}) == {offset} && '
                         f'sizeof({member}) == {len_}, "{name}.{field}");')
    run("gcc", "-std=gnu11", "-fsyntax-only", "-I", SOURCE, "-x", "c", "-", input="\n".join(lines),
        stdin=None)


@test
def tables_have_the_offsets_of_the_headers():
    for document in DOCUMENTS:
        check_with_compiler(document)


@test
def tables_leave_no_byte_out():
    for document in DOCUMENTS:
        for name, size, fields in tables(document):
            end = 0
            for offset, len_, field in fields:
                assert offset == end, f"{document}: {name}.{field} at {offset}, not {end}"
                end += len_
            assert end == size, f"{document}: {name} ends at {end}, not {size}"


@test
def every_structure_has_a_table():
    for document, headers in DOCUMENTS.items():
        documented = {name for name, _, _ in tables(document)}
        declared = {name for header in headers for name in structures(header)}
        assert documented == declared, f"{document}: {documented ^ declared}"
        assert declared, document


main()
