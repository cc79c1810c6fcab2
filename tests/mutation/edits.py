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
NON_STOP = "gdb_nonstop: "
NON_STOP_STUB = "gdbstub/commands_nonstop.c"
ASIDE = "kernel/debug_aside.c"
DEATH = "gdb_death: "
TRAMPOLINES = "gdb_trampolines: "
PASS = "kernel/debug_pass.c"

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
    for name in ("attach", "breakpoint", "fast_tracepoints", "interrupt", "made-up inputs", "nonstop",
                 "range", "registers", "thread_events", "tracepoints", "variables")
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
    Edit(
        HELPERS + "helpers load where gdb has another python",
        "kernel/gdb/embed.py",
        "if sys.implementation.cache_tag == CODE_TAG:",
        "if True:",
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
        "rsp_stops: stops::a_hit_whose_breakpoint_is_gone_is_no_news",
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
        "rsp_session: rsp::vcont_that_makes_no_sense",
        "gdbstub/commands_resume.c",
        "if (uni_gdb_left(args)) {\n\t\tstub->action_count = 0;",
        "if (false) {\n\t\tstub->action_count = 0;",
    ),
    Edit(
        "rsp_session: rsp::what_the_guest_writes_over_a_breakpoint_stays",
        "gdbstub/breakpoints.c",
        " &&\n\t\t    same_bytes(now, b->code, b->len))",
        " && same_bytes(now, now, b->len))",
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
    Edit(NON_STOP + "one thread is stopped while others run", ASIDE, "if (!place || !cpu->settable", "if (place || !cpu->settable"),
    Edit(
        NON_STOP + "a breakpoint stops one thread",
        "kernel/debug_stop.c",
        "!(awaited >> i & 1) && debug_aside_keeps(i)",
        "!(awaited >> i & 1)",
    ),
    Edit(
        NON_STOP + "one thread steps while others run",
        "kernel/debug.c",
        "is_stepping(debug_owner(self, frame)) &&\n\t\t    !debug_step_begin(debug_owner(self, frame), frame)",
        "is_stepping(debug_owner(self, frame))",
    ),
    Edit(
        NON_STOP + "each thread stops once at a breakpoint of all",
        NON_STOP_STUB,
        "thread_hold(stub->context, event->thread, event->kind != UNI_GDB_EVENT_ENDED)",
        "thread_hold(stub->context, event->thread, false)",
    ),
    Edit(
        NON_STOP + "all are stopped and let go",
        NON_STOP_STUB,
        "stub->ops->thread_hold(stub->context, stop->event.thread, false);",
        "",
    ),
    Edit(
        NON_STOP + "a watchpoint stops who writes",
        STOPS,
        "uni_gdb_put_hex(&stub->reply, slot->asked_address);",
        "uni_gdb_put_hex(&stub->reply, slot->asked_address + 8);",
    ),
    Edit(
        NON_STOP + "text of the guest waits for a monitor command",
        "gdbstub/commands_monitor.c",
        "if (stub->non_stop)\n\t\tuni_gdb_send_output(stub);\n",
        "",
    ),
    Edit(
        NON_STOP + "where nothing can be set aside the cpu is held",
        "kernel/debug_stop.c",
        "return debug_arch_can_yield(frame) && preempt_count() == 0 && cpus[self].irq_depth == 0 &&",
        "return",
    ),
    Edit(NON_STOP + "where there is no room the cpus are held", ASIDE, "PLACES 32", "PLACES 40"),
    Edit(
        NON_STOP + "control c stops the one that runs in the foreground",
        NON_STOP_STUB,
        "want(stub, chosen, UNI_GDB_SIGINT)",
        "want(stub, chosen, UNI_GDB_SIGNAL_NONE)",
    ),
    Edit(
        NON_STOP + "a breakpoint on the way off a cpu is passed",
        PASS,
        "if (debug_aside_owner(debug_arch_frame_sp(frame))) {",
        "if (false) {",
    ),
    Edit(
        NON_STOP + "the program waits for gdb and ends",
        NON_STOP_STUB,
        "uni_gdb_stop_add(stub, &stub->pending[i]);",
        "(void)i;",
    ),
    Edit(
        NON_STOP + "threads come and go while all are stopped",
        NON_STOP_STUB,
        "if (!want(stub, thread.id, UNI_GDB_SIGNAL_NONE))",
        "if (thread.id % 2 && !want(stub, thread.id, UNI_GDB_SIGNAL_NONE))",
    ),
    Edit(
        NON_STOP + "a function is called in a thread that is stopped",
        "kernel/debug_target.c",
        "return debug_call_set(thread, frame, fpu, registers);",
        "return 0;",
    ),
    Edit(
        NON_STOP + "the death of gdb in the middle of a call",
        "gdbstub/calls.c",
        "call->state = UNI_GDB_CALL_ORPHANED;",
        "call->thread = 0;",
    ),
    Edit(
        NON_STOP + "detach lets all go",
        NON_STOP_STUB,
        "stub->stops[i].event.thread, false);",
        "stub->stops[i].event.thread, true);",
    ),
    Edit(
        NON_STOP + "the death of gdb lets all go",
        NON_STOP_STUB,
        "stub->stops[i].event.thread, false);",
        "stub->stops[i].event.thread, true);",
    ),
    Edit(
        "gdb_conditions: any instruction can be passed",
        "gdbstub/arch/x86_64/displaced.c",
        "return UNI_GDB_DISPLACED_ABSOLUTE;",
        "return UNI_GDB_DISPLACED_PLAIN;",
    ),
    Edit(
        "gdb_fast_tracepoints: the interrupt flag is the programs",
        PASS,
        "debug_arch_set_interrupts(frame, place.interrupts);",
        "",
    ),
    Edit(
        "gdb_fast_tracepoints: beside a trapping one on two cpus",
        PASS,
        "hit->cpu = (int)self;",
        "hit->cpu = 0;",
    ),
    Edit(
        "gdb_stop: breakpoints and steps in an nmi handler",
        "kernel/debug_target.c",
        'return "the debug stub itself runs here";',
        "return NULL;",
    ),
    Edit(
        HELPERS + "an event that is not written yet is none",
        "kernel/gdb/ring.py",
        "if ahead >= 1 << (TSC_BITS - 1):",
        "if False:",
    ),
    Edit(
        "gdb_threads: a thread that goes alone sleeps and wakes",
        ASIDE,
        "thread->frozen = hold;\n\tsome_frozen",
        "thread->frozen = true;\n\tsome_frozen",
    ),
    Edit(
        DEATH + "steps lead into the stop of a panic",
        "kernel/debug.c",
        "debug_step_end(debug_owner(self, frame), frame, false);\n\t\tif (asked[self].leaves)",
        "if (asked[self].leaves)",
    ),
    Edit(
        DEATH + "a step over the panic ends in its stop",
        "kernel/debug.c",
        "if (debug_ready && uni_gdb_attached(&debug_stub) && !debug_is_inside())\n\t\tbreak_in(frame,",
        "if (false)\n\t\tbreak_in(frame,",
    ),
    Edit(
        DEATH + "the dump has no breakpoint in it",
        "kernel/debug.c",
        "uni_gdb_breakpoints_lift(&debug_stub);",
        "",
    ),
    Edit(DEATH + "the dump shows no copy of an instruction", "kernel/debug.c", "debug_pass_show_all();", ""),
    Edit(
        TRAMPOLINES + "a fault in a copy is told at the place of the original",
        PASS,
        "if (displaced && !passing[cpu_id()].is)",
        "if (displaced && false)",
    ),
    Edit(
        TRAMPOLINES + "stops with interrupts on",
        PASS,
        "uni_gdb_arch_trampoline_entry(displaced, debug_arch_interrupts(frame))",
        "uni_gdb_arch_trampoline_entry(displaced, false)",
    ),
    Edit(
        TRAMPOLINES + "stops with interrupts off",
        PASS,
        "uni_gdb_arch_trampoline_entry(displaced, debug_arch_interrupts(frame))",
        "uni_gdb_arch_trampoline_entry(displaced, true)",
    ),
    Edit(
        TRAMPOLINES + "nmis that stop nothing",
        PASS,
        "|| show_program(frame, displaced))",
        "|| show_program(frame, displaced) || true)",
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
        "gdb_rules: a step that faults leaves the flags alone",
        "kernel/debug_step.c",
        "if (!stepped && !debug_arch_is_stepping(frame))",
        "if (!stepped && false)",
    ),
    Edit(
        "gdb_rules: a step over pause is one instruction",
        "kernel/arch/x86_64/debug_flags.c",
        "if (!is_pause(frame->rip))\n",
        "if (!is_pause(frame->rip) || true)\n",
    ),
    Edit(
        "gdb_stress: nmis come into steps",
        "kernel/arch/x86_64/debug_flags.c",
        "bool done = frame->rip != flags->pc;\n\n\tframe->rflags &= ~RFLAGS_TRAP;",
        "bool done = frame->rip != flags->pc;\n",
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
    Edit(
        "lint_stub_text: what stops cpus calls nothing that may have a breakpoint",
        "kernel/debug_stop.c",
        "\t\tshutdown();",
        "\t\tthread_yield();",
    ),
    Edit(
        "lint_stub_text: what is allowed is called",
        "kernel/debug_target.c",
        "uni_gdb_put(text, wait_kind_name(wait->kind));",
        'uni_gdb_put(text, "waits");',
    ),
    Edit(
        "lint_image: hello stripped is small",
        "kernel/apps/hello.c",
        "{\n",
        '{\n\t__asm__ volatile("jmp 1f; .skip 0x10000; 1:");\n',
    ),
    Edit(LAYOUT + "each mutant of a hand has its place", ASIDE, "PLACES 32", "PLACES 33"),
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
        "#include <" + "ncurses.h>\n#include",
    ),
    Edit(
        INCLUDES + "no cycles between folders",
        "tracing/errno.h",
        "#pragma once",
        '#pragma once\n#include "kernel/list.h"',
    ),
]
