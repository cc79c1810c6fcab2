/* SPDX-License-Identifier: MIT */

/* execve(): another image takes the place of this one, as with kexec. gdb stays. There is one file,
 * which the machine was given at its start. */

#include "tests/guest/gdb_testsuite/exec.h"

#include <elf.h>
#include <stddef.h>
#include <string.h>

#include "kernel/arch/x86_64/io.h"
#include "kernel/arch/x86_64/lapic.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/boot.h"
#include "kernel/cmdline.h"
#include "kernel/cpu.h"
#include "kernel/debug_internal.h"
#include "kernel/format.h"
#include "tests/guest/gdb_testsuite/exec_asm.h"

#define FW_CFG_NAME "opt/org.uniscope/exec"
#define FW_CFG_NAME_SIZE 56
#define NOTE_PHYS32_ENTRY 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
#define SUFFIX "-execd"

struct exec_piece {
	uint32_t skip; /* bytes of the file up to those of this one */
	uint32_t to;
	uint32_t len;
	uint32_t zero; /* behind them */
};

struct exec_plan {
	struct exec_piece pieces[PIECES_MAX];
	uint32_t count;
	uint32_t start_info;
	uint32_t entry;
	struct pvh_start_info info;
	char command_line[CMDLINE_MAX];
};

struct idt_gate {
	uint16_t offset_low;
	uint16_t selector;
	uint16_t attributes;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

struct __attribute__((packed)) idt_register {
	uint16_t limit;
	struct idt_gate *gates;
};

_Static_assert(sizeof(struct exec_piece) == PIECE_SIZE, "exec.S");
_Static_assert(offsetof(struct exec_plan, count) == PLAN_COUNT, "exec.S");
_Static_assert(offsetof(struct exec_plan, start_info) == PLAN_START_INFO, "exec.S");
_Static_assert(offsetof(struct exec_plan, entry) == PLAN_ENTRY, "exec.S");

extern const char exec_code[], exec_code_end[];

/* boot.S: all of the first 4 GiB where it is. */
extern char boot_pml4[];

static char head[4096]; /* of the file: headers and notes */
static struct exec_plan plan;

static void fw_cfg_read(void *bytes, size_t len)
{
	for (char *next = bytes; len-- > 0; next++)
		*next = (char)io_in8(FW_CFG_DATA);
}

static uint16_t fw_cfg_find(const char *name)
{
	struct {
		uint32_t size;
		uint16_t select;
		uint16_t reserved;
		char name[FW_CFG_NAME_SIZE];
	} file;
	uint32_t count;

	io_out16(FW_CFG_SELECT, FW_CFG_FILES);
	fw_cfg_read(&count, sizeof(count));
	for (count = __builtin_bswap32(count); count > 0; count--) {
		fw_cfg_read(&file, sizeof(file));
		if (strncmp(file.name, name, sizeof(file.name)) == 0)
			return __builtin_bswap16(file.select);
	}
	return 0;
}

/* 0: there is none. */
static uint32_t find_entry(const Elf64_Phdr *notes)
{
	size_t at = notes->p_offset, end = at + notes->p_filesz;

	while (end <= sizeof(head) && at + sizeof(Elf64_Nhdr) <= end) {
		const Elf64_Nhdr *note = (const void *)(head + at);
		size_t name = at + sizeof(*note);
		size_t value = name + ((note->n_namesz + 3u) & ~3u);

		if (note->n_type == NOTE_PHYS32_ENTRY && memcmp(head + name, "Xen", 4) == 0)
			return *(const uint32_t *)(head + value);
		at = value + ((note->n_descsz + 3u) & ~3u);
	}
	return 0;
}

static void add_piece(const Elf64_Phdr *segment, uint64_t *file_at)
{
	plan.pieces[plan.count++] = (struct exec_piece){
		.skip = (uint32_t)(segment->p_filesz ? segment->p_offset - *file_at : 0),
		.to = (uint32_t)segment->p_paddr,
		.len = (uint32_t)segment->p_filesz,
		.zero = (uint32_t)(segment->p_memsz - segment->p_filesz),
	};
	if (segment->p_filesz)
		*file_at = segment->p_offset + segment->p_filesz;
}

/* The linker puts segments into the file in the order of their headers. */
static bool plan_image(void)
{
	const Elf64_Ehdr *elf = (const void *)head;
	const Elf64_Phdr *segment = (const void *)(head + elf->e_phoff);
	uint64_t file_at = 0;

	plan.count = 0;
	plan.entry = 0;
	if (memcmp(head, ELFMAG, SELFMAG) != 0 ||
	    elf->e_phoff + elf->e_phnum * sizeof(*segment) > sizeof(head))
		return false;
	for (unsigned i = 0; i < elf->e_phnum; i++) {
		if (segment[i].p_type == PT_NOTE && !plan.entry)
			plan.entry = find_entry(&segment[i]);
		if (segment[i].p_type == PT_LOAD && segment[i].p_memsz && plan.count < PIECES_MAX)
			add_piece(&segment[i], &file_at);
	}
	return plan.count && plan.entry;
}

static void add_word(const char *key, const char *value, void *context)
{
	size_t *len = context;

	if (strcmp(key, "gdbwait") == 0 || strcmp(key, "program") == 0 ||
	    strcmp(key, "session") == 0 || strcmp(key, "last-thread") == 0)
		return;
	*len += format_text(plan.command_line + *len, sizeof(plan.command_line) - *len,
			    value ? "%s=%s " : "%s ", key, value);
}

static void plan_start(const char *path, uint32_t last_thread)
{
	size_t len = 0;

	cmdline_for_each(add_word, &len);
	format_text(plan.command_line + len, sizeof(plan.command_line) - len,
		    "program=%s session=%llu last-thread=%u", path,
		    (unsigned long long)uni_gdb_session(&debug_stub), last_thread);
	plan.start_info = EXEC_PLAN + offsetof(struct exec_plan, info);
	plan.info = *boot_info;
	plan.info.command_line = EXEC_PLAN + offsetof(struct exec_plan, command_line);
}

/* An INIT stops each CPU but the one that the machine was booted with: that would start over. */
static _Noreturn void leave(void)
{
	for (unsigned i = 1; i < cpu_count(); i++)
		lapic_send_init(cpus[i].hw_id);
	lapic_end_of_wake();
	cr3_write((uintptr_t)boot_pml4);
	memcpy((void *)EXEC_PLAN, &plan, sizeof(plan));
	memcpy((void *)EXEC_CODE, exec_code, (size_t)(exec_code_end - exec_code));
	((void (*)(void))EXEC_CODE)();
	__builtin_unreachable();
}

static void set_gate(const struct idt_register *idt, unsigned vector, void (*handler)(void))
{
	struct idt_gate *gate = &idt->gates[vector];
	uintptr_t offset = (uintptr_t)handler;

	gate->offset_low = (uint16_t)offset;
	gate->offset_middle = (uint16_t)(offset >> 16);
	gate->offset_high = (uint32_t)(offset >> 32);
}

/* It runs, or the debugger holds it: then it sleeps in the handler of an NMI. */
static _Noreturn void call_boot_cpu(void)
{
	struct idt_register idt;

	__asm__("sidt %0" : "=m"(idt));
	set_gate(&idt, TRAP_NMI, leave);
	set_gate(&idt, VECTOR_WAKE, leave);
	lapic_send_nmi(cpus[0].hw_id);
	for (;;)
		lapic_send_wake(cpus[0].hw_id);
}

bool exec_image(const char *path, uint32_t last_thread)
{
	uint16_t file = fw_cfg_find(FW_CFG_NAME);
	char program[CMDLINE_WORD_MAX];
	size_t len;

	if (!file || !cmdline_get("program", program, sizeof(program)))
		return false;
	len = strlen(program);
	if (strncmp(path, program, len) != 0 || strcmp(path + len, SUFFIX) != 0)
		return false;
	io_out16(FW_CFG_SELECT, file);
	fw_cfg_read(head, sizeof(head));
	if (!plan_image())
		return false;

	cr3_write((uintptr_t)boot_pml4);
	plan_start(path, last_thread);
	io_out16(FW_CFG_SELECT, file);
	if (cpu_id() == 0)
		leave();
	call_boot_cpu();
}
