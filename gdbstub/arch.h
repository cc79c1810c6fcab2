/* SPDX-License-Identifier: MIT */
#pragma once

/* What the stub knows of a processor: its registers as gdb numbers them, the features that describe
 * them, breakpoint instructions and debug registers. Each folder arch/<processor>/ implements this,
 * and struct uni_gdb_registers in its registers.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gdbstub/packet.h"
#include "gdbstub/text.h"

#if defined(__x86_64__)
#include "gdbstub/arch/x86_64/registers.h"
#else
#error "no gdbstub/arch/ for this processor"
#endif

struct uni_gdb_registers;

/* The longest register in bytes, and the most bytes that all take in a `g` packet. */
#define UNI_GDB_REGISTER_MAX 32
#define UNI_GDB_REGISTERS_MAX 2560

/* A number is the same register everywhere; which of them there are depends on the `sets` of
 * uni_gdb_init(), on x86-64 what XCR0 has. All that there are have numbers below register_end. */
unsigned uni_gdb_arch_register_end(uint32_t sets);
bool uni_gdb_arch_register_exists(uint32_t sets, unsigned number);

/* Bytes of a register as gdb transfers it, at most UNI_GDB_REGISTER_MAX. */
size_t uni_gdb_arch_register_size(unsigned number);

/* Copies a register's bytes; false when its value is not known. */
bool uni_gdb_arch_register_read(const struct uni_gdb_registers *registers, unsigned number,
				void *bytes);

/* It is known from here on. */
void uni_gdb_arch_register_write(struct uni_gdb_registers *registers, unsigned number,
				 const void *bytes);

/* Registers worth sending with each stop reply: what gdb needs to find the frame. */
extern const uint8_t uni_gdb_arch_expedited[];
extern const unsigned uni_gdb_arch_expedited_count;

/* How all that there are lie in one block, as a `g` packet has them. */
void uni_gdb_arch_register_block_init(struct uni_gdb_register_block *block, uint32_t sets);

/* block->size bytes, what is not known as 0. Any number of CPUs while the guest runs. */
void uni_gdb_arch_register_block_put(const struct uni_gdb_register_block *block,
				     const struct uni_gdb_registers *registers, uint8_t *bytes);

#define UNI_GDB_UNKNOWN_MAX UNI_GDB_PLACES

/* Which bytes of it are of registers that are not known; returns how many pieces they are. */
unsigned uni_gdb_arch_register_block_unknown(const struct uni_gdb_register_block *block,
					     const struct uni_gdb_registers *registers,
					     struct uni_gdb_unknown unknown[UNI_GDB_UNKNOWN_MAX]);

/* The register is one of the FPU's. */
bool uni_gdb_arch_register_is_fpu(unsigned number);

extern const unsigned uni_gdb_arch_pc_number;

uint64_t uni_gdb_arch_pc(const struct uni_gdb_registers *registers);
void uni_gdb_arch_set_pc(struct uni_gdb_registers *registers, uint64_t pc);

/* Which of the words in two sets of registers differ, the pc aside, a bit for each; and those
 * taken over. */
uint64_t uni_gdb_arch_differing(const struct uni_gdb_registers *a,
				const struct uni_gdb_registers *b);
void uni_gdb_arch_restore(struct uni_gdb_registers *to, const struct uni_gdb_registers *from,
			  uint64_t words);

/* Where a function's return address lies when the function is entered. */
uint64_t uni_gdb_arch_sp(const struct uni_gdb_registers *registers);

/* target.xml, whole. */
void uni_gdb_arch_describe(struct uni_gdb_text *xml, uint32_t sets);

/* The breakpoint instruction; kind is that of Z0. NULL for a kind that does not exist. */
const uint8_t *uni_gdb_arch_breakpoint(uint64_t kind, size_t *len);
#define UNI_GDB_BREAKPOINT_MAX 5

/* A call that stands in for an instruction that is as long or longer. It must not be stepped over,
 * and uses the stack of the program. */
#define UNI_GDB_CALL_LEN 5

/* That at `from`, to `to`. False: it does not reach so far. */
bool uni_gdb_arch_call(uint64_t from, uint64_t to, uint8_t code[UNI_GDB_CALL_LEN]);

/* Debug registers. None watches reads alone. */
#define UNI_GDB_WATCH_SLOTS 4

enum uni_gdb_watch_kind {
	UNI_GDB_WATCH_NONE,
	UNI_GDB_WATCH_EXECUTE,
	UNI_GDB_WATCH_WRITE,
	UNI_GDB_WATCH_ACCESS,
};

/* What one debug register watches; len is what the processor can, its address aligned to it. */
struct uni_gdb_watch {
	enum uni_gdb_watch_kind kind;
	uint8_t len;
	uint64_t address;
};

/* Splits [address, address + len) into pieces that one debug register holds each. Returns how many,
 * 0 when more than UNI_GDB_WATCH_SLOTS are needed. */
unsigned uni_gdb_arch_watch_split(enum uni_gdb_watch_kind kind, uint64_t address, uint64_t len,
				  struct uni_gdb_watch pieces[UNI_GDB_WATCH_SLOTS]);

/* Displaced steps: a breakpoint's instruction runs as a copy elsewhere, so that the breakpoint
 * stays where it is while one CPU gets past it. */
#define UNI_GDB_DISPLACED_SIZE 16

enum uni_gdb_displaced_kind {
	UNI_GDB_DISPLACED_PLAIN,	 /* leaves a pc that is off by the way of the copy */
	UNI_GDB_DISPLACED_CALL,		 /* so, and the return address that it pushed is too */
	UNI_GDB_DISPLACED_ABSOLUTE,	 /* leaves the right pc */
	UNI_GDB_DISPLACED_ABSOLUTE_CALL, /* so, but for the return address */
};

struct uni_gdb_displaced {
	uint64_t from;
	uint64_t to;
	enum uni_gdb_displaced_kind kind;
	uint8_t through; /* of a trampoline: the instruction's length; 0: it is none */
};

/* Turns the instruction at `from`, whose bytes are in code[] with whatever follows it, into one
 * that does the same at `to`. False: there is none. */
bool uni_gdb_arch_displace(uint64_t from, uint64_t to, uint8_t code[UNI_GDB_DISPLACED_SIZE],
			   struct uni_gdb_displaced *displaced);

/* A trampoline has a jump behind the copy, to where the original goes on, so that a CPU gets past
 * the breakpoint without a step. It is entered with interrupts off, and is made of two copies: one
 * for code that has interrupts off, and one for code that has them on, which turns them on before
 * the jump. So an address in it tells all of where the program is. */
#define UNI_GDB_TRAMPOLINE_SIZE 48

/* Fills room[], which is to lie at `to`, with the copy of the instruction at `from`, as
 * uni_gdb_arch_displace() makes it, and with the rest of a trampoline if it can be one: an
 * instruction that is not made again, goes on to the next one, and has nothing to do with the
 * interrupt flag. False: there is no copy. */
bool uni_gdb_arch_trampoline(uint64_t from, uint64_t to, const uint8_t code[UNI_GDB_DISPLACED_SIZE],
			     uint8_t room[UNI_GDB_TRAMPOLINE_SIZE],
			     struct uni_gdb_displaced *displaced);

/* Where code enters that has interrupts on, or off. */
uint64_t uni_gdb_arch_trampoline_entry(const struct uni_gdb_displaced *displaced, bool interrupts);

/* What an address in a trampoline stands for. */
struct uni_gdb_place {
	uint64_t pc;
	bool made;	 /* the instruction */
	bool interrupts; /* are on */
};

struct uni_gdb_place uni_gdb_arch_trampoline_place(const struct uni_gdb_displaced *displaced,
						   uint64_t pc);

/* Whether a step from one pc to another went on to the next instruction, and took no branch. code[]
 * has the bytes at `from`. */
bool uni_gdb_arch_falls_through(uint64_t from, uint64_t to,
				const uint8_t code[UNI_GDB_DISPLACED_SIZE]);

/* Where the program is when the copy has left `pc`. */
uint64_t uni_gdb_arch_displaced_pc(const struct uni_gdb_displaced *displaced, uint64_t pc);

/* The copy pushed a return address, which lies behind it instead of behind the original. */
bool uni_gdb_arch_displaced_pushes(const struct uni_gdb_displaced *displaced);

enum uni_gdb_flow_kind {
	UNI_GDB_FLOW_ON,     /* goes to the next instruction */
	UNI_GDB_FLOW_BRANCH, /* goes there, or to `target` */
	UNI_GDB_FLOW_JUMP,   /* goes to `target` */
	UNI_GDB_FLOW_AWAY,   /* calls, returns, or goes where a register says */
};

/* Where an instruction leads. */
struct uni_gdb_flow {
	enum uni_gdb_flow_kind kind;
	bool moves_sp; /* changes the stack pointer, or may */
	uint64_t next;
	uint64_t target;
};

/* Of the instruction at pc, whose bytes are in code[] with whatever follows it. False: it is not
 * known. */
bool uni_gdb_arch_flow(uint64_t pc, const uint8_t code[UNI_GDB_DISPLACED_SIZE],
		       struct uni_gdb_flow *flow);
