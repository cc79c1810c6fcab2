# SPDX-License-Identifier: MIT
"""Mutants that a hand wrote, for tests of what no `if` decides: documents, headers, the layout of files."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    test: str  # "program: name"
    file: str  # a new one where `old` is empty
    old: str
    new: str

    def __str__(self):
        return f"{self.file}: {' '.join(self.old.split())} -> {' '.join(self.new.split())}"


HELPERS = "gdb_uni: "
FORMATS = "format_tables: "
LAYOUT = "lint_style: "
HEADERS = "lint_headers: "
INCLUDES = "lint_includes: "
OPERAND = "host-tools/lib/arch/x86_64/memory_operand.c"
STOPS = "gdbstub/stop_reply.c"
CURSOR = "host-tools/lib/cursor.c"

# gdb's own tests, by class: a stub that no memory can be read of.
SUITE = [
    Edit(f"gdb_testsuite: gdbs tests {kind} pass", "gdbstub/commands_memory.c",
         "stub->reply_bytes = read_bytes(stub, address, stub->scratch, len);", "stub->reply_bytes = read_bytes(stub, address, stub->scratch, 0);")
    for kind in (
        "of programs that need nothing",
        "of programs that print",
        "of programs that wait",
        "of programs with threads",
        "without a program of their own",
        "of rare things",
    )
]

# What the stub answers has no checksum.
REPLAYS = [
    Edit(f"fuzz gdbstub: {name}", "gdbstub/packet_send.c", "uint8_t sum = out->sum;", "uint8_t sum = 0;")
    for name in ("attach", "breakpoint", "interrupt", "range", "registers", "thread_events")
]

EDITS = [
    *SUITE,
    *REPLAYS,
    Edit(
        HELPERS + "every image has the helpers and loads none of it",
        "kernel/gdb/embed.py",
        'b"uniscope\\n"',
        'b"uni\\n"',
    ),
    Edit(HELPERS + "a structure that changed is noticed", "kernel/gdb/guest.py", "has no member", "lacks"),
    Edit(
        HELPERS + "events are decoded beyond the bits of their time",
        "kernel/gdb/ring.py",
        "TSC_BITS = 52",
        "TSC_BITS = 51",
    ),
    Edit(
        "dumps: every kind under uniscope",
        "guest-probe/core_notes.c",
        "thread->status.cursig = (int16_t)info->signal",
        "thread->status.cursig = 1",
    ),
    Edit("unitop: unitop::no_color_means_none", "tui/view_terminal.c", "!(no_color && *no_color)", "true"),
    Edit(
        FORMATS + "tables have the offsets of the headers",
        "guest-probe/probe_abi.h",
        "\tuint32_t ",
        "\tuint64_t ",
    ),
    Edit(FORMATS + "tables leave no byte out", "docs/formats/frames.md", "| 0 | 4 |", "| 0 | 3 |"),
    Edit(
        FORMATS + "every structure has a table",
        "tracing/trace_abi.h",
        "\nstruct ",
        "\nstruct uni_more {\n\tint x;\n};\n\nstruct ",
    ),
    Edit(
        "packet: packet::metadata_names_types_and_fields",
        "tracing/tracepoint.h",
        '#type " " #name',
        '#name " " #type',
    ),
    Edit(
        "memory_operand: memory_operand::stays_within_the_instruction_whatever_the_bytes",
        OPERAND,
        "at < code + 4 && ",
        "",
    ),
    Edit(
        "rsp_session: rsp::a_hit_whose_breakpoint_is_gone_is_no_news",
        STOPS,
        "return uni_gdb_breakpoint_at(stub, event->address) &&",
        "return",
    ),
    Edit(
        "rsp_session: rsp::a_watch_whose_debug_register_serves_another_is_no_news",
        STOPS,
        " &&\n\t\t       stub->watches[event->slot].watch.address == event->address",
        "",
    ),
    Edit(
        "instruction: instruction::has_at_most_four_prefixes",
        "gdbstub/arch/x86_64/instruction.c",
        "PREFIXES_MAX 4",
        "PREFIXES_MAX 5",
    ),
    Edit(
        "gdb: a breakpoint in a worker hits again and again",
        "kernel/debug.c",
        "if (uni_gdb_breakpoint_at(&debug_stub, pc)) {",
        "if (false) {",
    ),
    Edit(
        "gdb_btrace: backwards and forwards",
        "gdbstub/commands_branches.c",
        'uni_gdb_put(xml, "<block begin=',
        'uni_gdb_put(xml, "<block from=',
    ),
    Edit(HELPERS + "threads are told on a core", "kernel/gdb/threads.py", ", held by {", ", of {"),
    Edit(HELPERS + "the trace is decoded", "kernel/gdb/trace.py", "The rings hold no", "The rings hold some"),
    Edit(HELPERS + "page tables are walked", "kernel/gdb/pagetable.py", "Access: ", "Use: "),
    Edit(
        HELPERS + "leaving asks nothing and the guest goes on",
        "host-tools/cmd_gdb.c",
        "set confirm off",
        "set confirm on",
    ),
    Edit(HELPERS + "qemus own stub serves a guest too", "kernel/gdb/memory.py", "by gdb's own reads", "by reads"),
    Edit(
        "debuggers: lldb breaks and continues",
        "gdbstub/commands.c",
        'PACKET("Z", uni_gdb_breakpoint_set',
        'PACKET("Z", uni_gdb_cmd_unknown',
    ),
    Edit(
        "gdb_rules: the stub calls nothing that may carry a breakpoint",
        "kernel/debug.c",
        "if (!debug_ready)\n",
        "thread_count();\n\tif (!debug_ready)\n",
    ),
    Edit(
        "gdb_stress: gdb comes to a guest in trouble",
        "gdbstub/commands.c",
        'PACKET("g", uni_gdb_cmd_read_registers',
        'PACKET("g", uni_gdb_cmd_unknown',
    ),
    Edit(
        "dumps: null write",
        "guest-probe/core_notes.c",
        "thread->status.cursig = (int16_t)info->signal",
        "thread->status.cursig = 1",
    ),
    Edit(
        "kernel: boots with any machine cpus and memory",
        "kernel/apps/hello.c",
        "hello from a unikernel",
        "hello",
    ),
    Edit(
        "cli: detached guests are listed until they are stopped",
        "host-tools/lib/guest_info.c",
        'get_text(object, "boot_id", guest->boot_id, sizeof(guest->boot_id));',
        "",
    ),
    Edit(
        "cli: a socket path that is taken is explained",
        "host-tools/lib/registry_claim.c",
        "remove what is there",
        "remove it",
    ),
    Edit(
        "shop: every order is in the books whatever the load",
        "kernel/apps/shop/ledger.c",
        "total.orders++",
        "total.orders += total.orders < 500",
    ),
    Edit(LAYOUT + "sources are laid out by clang format", CURSOR, "\n{\n", " {\n"),
    Edit(LAYOUT + "every source names its licence", CURSOR, "SPDX-License-Identifier: MIT", "MIT"),
    Edit(
        LAYOUT + "no file is named after nothing",
        "tui/utils.c",
        "",
        "/* SPDX-License-Identifier: MIT */\n",
    ),
    Edit(
        LAYOUT + "no file is longer than 800 lines",
        "tui/long.c",
        "",
        "/* SPDX-License-Identifier: MIT */\n" + "\n" * 801,
    ),
    Edit(LAYOUT + "shell scripts pass shellcheck", "dev", "say() {", "unused=1\nsay() {"),
    Edit(LAYOUT + "man pages and help agree", "docs/man/uniscope-record.1.scd", "--duration", "--time"),
    Edit(
        LAYOUT + "links in the documents lead somewhere",
        "README.md",
        "](ARCHITECTURE.md",
        "](ARCHITECTURES.md",
    ),
    Edit(
        LAYOUT + "clang compiles the host code without a warning",
        CURSOR,
        "\n{\n",
        "\n{\n\tint *unused = 1;\n",
    ),
    Edit(
        HEADERS + "every header compiles alone with gcc",
        "host-tools/lib/cursor.h",
        "#include",
        "// #include",
    ),
    Edit(
        HEADERS + "every header compiles alone with clang",
        "host-tools/lib/cursor.h",
        "#include",
        "// #include",
    ),
    Edit(
        HEADERS + "headers guard themselves with pragma once",
        "host-tools/lib/cursor.h",
        "#pragma once",
        "",
    ),
    Edit(
        HEADERS + "freestanding objects import nothing but mem",
        "gdbstub/cursor.c",
        "\n{\n",
        "\n{\n\textern void puts(void);\n\tputs();\n",
    ),
    Edit(
        INCLUDES + "every include follows the folder table",
        "gdbstub/cursor.c",
        "#include",
        '#include "kernel/list.h"\n#include',
    ),
    Edit(
        INCLUDES + "guest rooms include freestanding headers only",
        "gdbstub/cursor.c",
        "#include",
        "#include <unistd.h>\n#include",
    ),
    Edit(
        INCLUDES + "ncurses stays in the views",
        "tui/table.c",
        "#include",
        "#include <ncurses.h>\n#include",
    ),
    Edit(
        INCLUDES + "no cycles between folders",
        "tracing/errno.h",
        "#pragma once",
        '#pragma once\n#include "kernel/list.h"',
    ),
]
