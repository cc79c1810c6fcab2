/* SPDX-License-Identifier: MIT */
/* The parts of ELF-64 that a core file has (System V ABI, gABI 4.1, chapters 4 and 5), for code
 * that has no <elf.h>. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ELF_CLASS_64 2
#define ELF_DATA_LSB 1
#define ELF_VERSION 1
#define ELF_TYPE_CORE 4

struct elf_header {
	uint8_t ident[16];
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t phoff;
	uint64_t shoff;
	uint32_t flags;
	uint16_t ehsize;
	uint16_t phentsize;
	uint16_t phnum;
	uint16_t shentsize;
	uint16_t shnum;
	uint16_t shstrndx;
};

_Static_assert(sizeof(struct elf_header) == 64, "gABI: Elf64_Ehdr");

#define ELF_PT_LOAD 1
#define ELF_PT_NOTE 4

#define ELF_PF_X 1
#define ELF_PF_W 2
#define ELF_PF_R 4

struct elf_segment {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t align;
};

_Static_assert(sizeof(struct elf_segment) == 56, "gABI: Elf64_Phdr");

/* Followed by the owner's name with its 0, padded to 4 bytes, and the contents, padded too. */
struct elf_note {
	uint32_t namesz;
	uint32_t descsz;
	uint32_t type;
};

#define ELF_NOTE_ALIGN 4

/* Notes of the owner "CORE" (Linux's <elf.h>). */
#define ELF_NT_PRSTATUS 1
#define ELF_NT_FPREGSET 2
#define ELF_NT_PRPSINFO 3
#define ELF_NT_SIGINFO 0x53494749
/* One of the owner "LINUX". */
#define ELF_NT_X86_XSTATE 0x202
