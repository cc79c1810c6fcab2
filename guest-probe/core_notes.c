/* SPDX-License-Identifier: MIT */
/* The notes of a core file. Their order is a contract with gdb, drgn and elfutils. */
#include "guest-probe/core_writer_internal.h"
#include "guest-probe/elf_core.h"
#include "guest-probe/frame.h"
#include "guest-probe/memory.h"

#define OWNER_CORE "CORE"
#define OWNER_LINUX "LINUX"

/* Linux's numbers: signal(7). */
#define SIGQUIT 3
#define SIGABRT 6
#define SIGBUS 7
#define SIGSEGV 11
#define SI_KERNEL 0x80

static const uint8_t zeroes[64];

static void pad(struct uni_core_writer *writer, uint64_t len)
{
	uni_core_append(writer, zeroes, (ELF_NOTE_ALIGN - len % ELF_NOTE_ALIGN) % ELF_NOTE_ALIGN);
}

void uni_core_note_begin(struct uni_core_writer *writer, const char *owner, uint32_t type,
			 size_t len)
{
	struct elf_note note = {.descsz = (uint32_t)len, .type = type};

	while (owner[note.namesz++])
		;
	uni_core_append(writer, &note, sizeof(note));
	uni_core_append(writer, owner, note.namesz);
	pad(writer, note.namesz);
	writer->note_end = writer->offset + len;
}

void uni_core_put(struct uni_core_writer *writer, const void *bytes, size_t len)
{
	const uint64_t left = writer->note_end - writer->offset;

	uni_core_append(writer, bytes, len < left ? len : (size_t)left);
}

void uni_core_note_end(struct uni_core_writer *writer)
{
	for (uint64_t left = writer->note_end - writer->offset; left > 0;) {
		const size_t taken = left < sizeof(zeroes) ? (size_t)left : sizeof(zeroes);

		uni_core_append(writer, zeroes, taken);
		left -= taken;
	}
	/* Notes begin 4-byte aligned in the file, as the offset of the first one is. */
	pad(writer, writer->offset);
}

static void put_note(struct uni_core_writer *writer, const char *owner, uint32_t type,
		     const void *contents, size_t len)
{
	uni_core_note_begin(writer, owner, type, len);
	uni_core_put(writer, contents, len);
	uni_core_note_end(writer);
}

void uni_core_note(struct uni_core_writer *writer, enum uni_note_type type, const void *contents,
		   size_t len)
{
	put_note(writer, UNI_NOTE_OWNER, type, contents, len);
}

static void get_thread(struct uni_core_writer *writer, uint32_t index,
		       struct uni_core_thread *thread)
{
	const struct uni_core_info *info = writer->info;

	memset(thread, 0, sizeof(*thread));
	thread->status.signo = info->signal;
	/* The same in every thread: BFD keeps the last one it reads. */
	thread->status.cursig = (int16_t)info->signal;
	writer->ops->thread(writer->context, index, thread);
	thread->status.fpvalid = thread->fp != NULL;
}

static void put_prstatus(struct uni_core_writer *writer, const struct uni_core_thread *thread)
{
	put_note(writer, OWNER_CORE, ELF_NT_PRSTATUS, &thread->status, sizeof(thread->status));
}

static void put_xstate(struct uni_core_writer *writer, const struct uni_core_thread *thread)
{
	const size_t len = uni_core_xstate_size(thread->xcr0);
	const size_t behind = UNI_CORE_XSTATE_XCR0 + sizeof(thread->xcr0);

	uni_core_note_begin(writer, OWNER_LINUX, ELF_NT_X86_XSTATE, len);
	uni_core_put(writer, thread->fp, UNI_CORE_XSTATE_XCR0);
	uni_core_put(writer, &thread->xcr0, sizeof(thread->xcr0));
	uni_core_put(writer, (const uint8_t *)thread->fp + behind, len - behind);
	uni_core_note_end(writer);
}

static void put_fp(struct uni_core_writer *writer, const struct uni_core_thread *thread)
{
	if (!thread->fp)
		return;
	put_note(writer, OWNER_CORE, ELF_NT_FPREGSET, thread->fp, UNI_CORE_FP_SIZE);
	if (thread->xcr0)
		put_xstate(writer, thread);
}

/* "name cmdline", cut to size - 1 bytes. */
static void put_words(char *field, size_t size, const char *name, const char *cmdline)
{
	size_t len = 0;

	for (const char *at = name; at && *at && len < size - 2; at++)
		field[len++] = *at;
	field[len++] = ' ';
	uni_frame_text(field + len, size - 1 - len, cmdline);
}

static void put_prpsinfo(struct uni_core_writer *writer, int32_t pid)
{
	struct uni_core_prpsinfo info = {.sname = 'R', .pid = pid, .pgrp = pid, .sid = pid};

	uni_frame_text(info.fname, sizeof(info.fname) - 1, writer->info->name);
	put_words(info.psargs, sizeof(info.psargs), writer->info->name, writer->info->cmdline);
	put_note(writer, OWNER_CORE, ELF_NT_PRPSINFO, &info, sizeof(info));
}

static void put_siginfo(struct uni_core_writer *writer)
{
	const struct uni_core_siginfo info = {
		.signo = writer->info->signal,
		.code = writer->info->signal_code,
		.address = writer->info->fault_address,
	};

	put_note(writer, OWNER_CORE, ELF_NT_SIGINFO, &info, sizeof(info));
}

void uni_core_put_notes(struct uni_core_writer *writer)
{
	struct uni_core_thread thread;

	get_thread(writer, 0, &thread);
	put_prstatus(writer, &thread);
	put_prpsinfo(writer, thread.status.pid);
	put_siginfo(writer);
	put_fp(writer, &thread);
	writer->ops->notes(writer->context, writer);
	for (uint32_t i = 1; i < writer->info->thread_count; i++) {
		get_thread(writer, i, &thread);
		put_prstatus(writer, &thread);
		put_fp(writer, &thread);
	}
}

int32_t uni_core_signal(enum uni_panic_kind kind, uint32_t vector, uint64_t error_code,
			int32_t *code)
{
	*code = SI_KERNEL;
	switch (kind) {
	case UNI_PANIC_FAULT:
		return uni_core_fault_signal(vector, error_code, code);
	case UNI_PANIC_MACHINE_CHECK:
		return SIGBUS;
	case UNI_PANIC_STACK_OVERFLOW:
	case UNI_PANIC_DOUBLE_FAULT:
		return SIGSEGV;
	case UNI_PANIC_REQUEST:
		return SIGQUIT;
	default:
		return SIGABRT;
	}
}
