// SPDX-License-Identifier: MIT
#include "host-tools/lib/unwind.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "host-tools/lib/arch/x86_64/core_registers.h"
#include "tracing/errno.h"

/* libdwfl wants a process; a dump has none. */
#define ANY_PID 1

struct uni_unwinder {
	Dwfl *dwfl;
	const struct uni_core_reader *core;
	const struct uni_symbols *symbols;

	/* Of the walk that goes on. */
	size_t thread;
	struct uni_unwind_frame *frames;
	size_t count, max;
};

/* libdwfl asks for the threads one by one: there is the one that is being walked. */
static pid_t next_thread(Dwfl *dwfl, void *context, void **thread_context)
{
	if (*thread_context)
		return 0;
	*thread_context = context;
	return ANY_PID;
}

static bool read_word(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *out, void *context)
{
	struct uni_unwinder *unwinder = context;
	uint64_t value;

	if (uni_core_reader_read(unwinder->core, address, &value, sizeof(value)))
		return false;
	*out = value;
	return true;
}

static bool set_registers(Dwfl_Thread *thread, void *context)
{
	struct uni_unwinder *unwinder = context;
	struct uni_core_registers registers;
	uint64_t caller;

	uni_core_registers_get(uni_core_reader_thread(unwinder->core, unwinder->thread),
			       &registers);
	/* As if the call that led to nowhere had returned. */
	if (!uni_symbols_is_code(unwinder->symbols, registers.pc) &&
	    !uni_core_reader_read(unwinder->core, registers.sp, &caller, sizeof(caller)) &&
	    uni_symbols_is_code(unwinder->symbols, caller)) {
		unwinder->frames[unwinder->count++] = (struct uni_unwind_frame){registers.pc, true};
		uni_core_registers_return(&registers, caller);
	}
	dwfl_thread_state_register_pc(thread, registers.pc);
	return dwfl_thread_state_registers(thread, 0, UNI_CORE_DWARF_REGISTERS, registers.dwarf);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.memory_read = read_word,
	.set_initial_registers = set_registers,
};

int uni_unwinder_open(const char *image, const struct uni_symbols *symbols,
		      const struct uni_core_reader *core, struct uni_unwinder **out,
		      struct uni_error *error)
{
	static const Dwfl_Callbacks callbacks = {
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.find_elf = dwfl_build_id_find_elf,
	};
	struct uni_unwinder *unwinder = calloc(1, sizeof(*unwinder));
	int err = 0;

	if (!unwinder)
		return uni_error_set(error, -UNI_ENOMEM, "cannot unwind: out of memory");
	unwinder->core = core;
	unwinder->symbols = symbols;
	unwinder->dwfl = dwfl_begin(&callbacks);
	if (!unwinder->dwfl || !dwfl_report_elf(unwinder->dwfl, image, image, -1, 0, true) ||
	    dwfl_report_end(unwinder->dwfl, NULL, NULL) ||
	    !dwfl_attach_state(unwinder->dwfl, NULL, ANY_PID, &thread_callbacks, unwinder))
		err = uni_error_set(error, -UNI_EINVAL, "cannot unwind with %s: %s", image,
				    dwfl_errmsg(-1));
	if (err)
		uni_unwinder_close(unwinder);
	else
		*out = unwinder;
	return err;
}

void uni_unwinder_close(struct uni_unwinder *unwinder)
{
	if (!unwinder)
		return;
	dwfl_end(unwinder->dwfl);
	free(unwinder);
}

static int take_frame(Dwfl_Frame *state, void *context)
{
	struct uni_unwinder *unwinder = context;
	bool is_exact;
	Dwarf_Addr pc;

	if (unwinder->count == unwinder->max || !dwfl_frame_pc(state, &pc, &is_exact))
		return DWARF_CB_ABORT;
	/* The first state after a call to nowhere is the caller's, whose pc lies behind its call.
	 */
	if (unwinder->count == 1 && unwinder->frames[0].pc != pc && is_exact)
		is_exact = false;
	unwinder->frames[unwinder->count++] = (struct uni_unwind_frame){pc, is_exact};
	return DWARF_CB_OK;
}

size_t uni_unwinder_walk(struct uni_unwinder *unwinder, size_t thread,
			 struct uni_unwind_frame frames[], size_t max)
{
	const struct uni_core_prstatus *status = uni_core_reader_thread(unwinder->core, thread);
	struct uni_core_registers registers;

	if (!status || max < 2)
		return 0;
	unwinder->thread = thread;
	unwinder->frames = frames;
	unwinder->count = 0;
	unwinder->max = max;
	(void)dwfl_getthread_frames(unwinder->dwfl, ANY_PID, take_frame, unwinder);
	if (!unwinder->count) {
		uni_core_registers_get(status, &registers);
		frames[0] = (struct uni_unwind_frame){registers.pc, true};
		unwinder->count = 1;
	}
	return unwinder->count;
}
