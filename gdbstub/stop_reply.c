/* SPDX-License-Identifier: MIT */

/* What gdb is told of a stop, and which of several stops it is told of first. GDB manual, "Stop
 * Reply Packets". */

#include "gdbstub/stub_internal.h"

static void put_pair(struct uni_gdb_text *reply, const char *key)
{
	uni_gdb_put(reply, key);
	uni_gdb_put_char(reply, ':');
}

static size_t length(const char *text)
{
	size_t len = 0;

	while (text[len])
		len++;
	return len;
}

static void put_reason(struct uni_gdb *stub, const struct uni_gdb_event *event)
{
	const struct uni_gdb_watch_slot *slot;

	if (stub->executed && stub->exec_events) {
		put_pair(&stub->reply, "exec");
		uni_gdb_put_hex_bytes(&stub->reply, stub->executed, length(stub->executed));
		uni_gdb_put_char(&stub->reply, ';');
	}
	stub->executed = NULL;
	if (event->kind == UNI_GDB_EVENT_BREAKPOINT) {
		if (uni_gdb_feature_is_on(stub, UNI_GDB_FEATURE_SWBREAK))
			uni_gdb_put(&stub->reply, "swbreak:;");
		return;
	}
	if (event->kind == UNI_GDB_EVENT_CREATED) {
		uni_gdb_put(&stub->reply, "create:;");
		return;
	}
	if (event->kind != UNI_GDB_EVENT_WATCH)
		return;
	slot = &stub->watches[event->slot];
	switch (slot->watch.kind) {
	case UNI_GDB_WATCH_EXECUTE:
		if (uni_gdb_feature_is_on(stub, UNI_GDB_FEATURE_HWBREAK))
			uni_gdb_put(&stub->reply, "hwbreak:;");
		return;
	case UNI_GDB_WATCH_WRITE:
		put_pair(&stub->reply, "watch");
		break;
	case UNI_GDB_WATCH_ACCESS:
		put_pair(&stub->reply, "awatch");
		break;
	case UNI_GDB_WATCH_NONE:
		return;
	}
	uni_gdb_put_hex(&stub->reply, slot->asked_address);
	uni_gdb_put_char(&stub->reply, ';');
}

static void put_expedited(struct uni_gdb *stub, uint32_t thread)
{
	struct uni_gdb_registers registers;
	uint8_t value[UNI_GDB_REGISTER_MAX];

	if (stub->ops->registers_get(stub->context, thread, &registers) < 0)
		return;
	for (unsigned i = 0; i < uni_gdb_arch_expedited_count; i++) {
		unsigned number = uni_gdb_arch_expedited[i];

		if (!uni_gdb_arch_register_read(&registers, number, value))
			continue;
		uni_gdb_put_hex_bytes(&stub->reply, &(uint8_t){(uint8_t)number}, 1);
		uni_gdb_put_char(&stub->reply, ':');
		uni_gdb_put_hex_bytes(&stub->reply, value, uni_gdb_arch_register_size(number));
		uni_gdb_put_char(&stub->reply, ';');
	}
}

void uni_gdb_put_stop(struct uni_gdb *stub, const struct uni_gdb_event *event)
{
	struct uni_gdb_thread thread;
	uint8_t signal = (uint8_t)event->signal;

	if (!signal && event->kind != UNI_GDB_EVENT_HALTED)
		signal = UNI_GDB_SIGTRAP;

	if (event->kind == UNI_GDB_EVENT_EXIT) {
		uni_gdb_put_char(&stub->reply, 'W');
		uni_gdb_put_hex_bytes(&stub->reply, &event->status, 1);
		if (stub->multiprocess) {
			uni_gdb_put(&stub->reply, ";process:");
			uni_gdb_put_hex(&stub->reply, UNI_GDB_PROCESS);
		}
		return;
	}
	if (event->kind == UNI_GDB_EVENT_GONE) {
		if (stub->no_resumed)
			uni_gdb_put_char(&stub->reply, 'N');
		else
			uni_gdb_error_text(stub, "the thread that was to go on has ended");
		return;
	}
	if (event->kind == UNI_GDB_EVENT_ENDED) {
		uni_gdb_put_char(&stub->reply, 'w');
		uni_gdb_put_hex_bytes(&stub->reply, &event->status, 1);
		uni_gdb_put_char(&stub->reply, ';');
		uni_gdb_put_thread(stub, &stub->reply, event->thread);
		return;
	}
	/* gdb takes the thread of a stop reply for the selected one from here on; with threads
	 * stopped one by one it does not. */
	if (!stub->non_stop)
		stub->general_thread = (int32_t)event->thread;
	uni_gdb_put_char(&stub->reply, 'T');
	uni_gdb_put_hex_bytes(&stub->reply, &signal, 1);
	put_reason(stub, event);
	uni_gdb_put(&stub->reply, "thread:");
	uni_gdb_put_thread(stub, &stub->reply, event->thread);
	uni_gdb_put_char(&stub->reply, ';');
	if (stub->ops->thread_find(stub->context, event->thread, &thread) &&
	    thread.cpu != UNI_GDB_NO_CPU) {
		put_pair(&stub->reply, "core");
		uni_gdb_put_hex(&stub->reply, (uint64_t)thread.cpu);
		uni_gdb_put_char(&stub->reply, ';');
	}
	put_expedited(stub, event->thread);
}

/* A breakpoint that gdb took back before it heard of the hit, or a thread that it moved away from
 * there, is no news: the instruction runs when the thread does. The end of a step that gdb does not
 * wait for any more would be a SIGTRAP of the program's to it. */
static bool still_holds(struct uni_gdb *stub, const struct uni_gdb_event *event)
{
	struct uni_gdb_registers registers;

	switch (event->kind) {
	case UNI_GDB_EVENT_ATTENTION:
	case UNI_GDB_EVENT_HALTED:
		return false;
	case UNI_GDB_EVENT_BREAKPOINT:
		return uni_gdb_breakpoint_at(stub, event->address) &&
		       stub->ops->registers_get(stub->context, event->thread, &registers) == 0 &&
		       uni_gdb_arch_pc(&registers) == event->address;
	case UNI_GDB_EVENT_WATCH:
		/* The debug register may serve another purpose meanwhile. */
		return stub->watches[event->slot].watch.kind != UNI_GDB_WATCH_NONE &&
		       stub->watches[event->slot].watch.address == event->address;
	case UNI_GDB_EVENT_STEP:
		return uni_gdb_resume_of(stub, event->thread).kind == UNI_GDB_STEP;
	case UNI_GDB_EVENT_SIGNAL:
	case UNI_GDB_EVENT_CREATED:
	case UNI_GDB_EVENT_ENDED:
	case UNI_GDB_EVENT_GONE:
	case UNI_GDB_EVENT_EXIT:
		return true;
	}
	return false;
}

static void drop_pending(struct uni_gdb *stub, unsigned index)
{
	stub->pending_count--;
	for (unsigned i = index; i < stub->pending_count; i++)
		stub->pending[i] = stub->pending[i + 1];
}

void uni_gdb_drop_steps(struct uni_gdb *stub)
{
	for (unsigned i = stub->pending_count; i-- > 0;)
		if (stub->pending[i].kind == UNI_GDB_EVENT_STEP)
			drop_pending(stub, i);
}

bool uni_gdb_event_pends(const struct uni_gdb *stub, uint32_t thread)
{
	for (unsigned i = 0; i < stub->pending_count; i++)
		if (stub->pending[i].thread == thread)
			return true;
	return false;
}

bool uni_gdb_next_event(struct uni_gdb *stub)
{
	unsigned i = 0;

	while (i < stub->pending_count) {
		struct uni_gdb_event event = stub->pending[i];

		/* Of a thread that is held gdb hears when it lets it go. */
		if (event.kind != UNI_GDB_EVENT_ATTENTION &&
		    uni_gdb_resume_of(stub, event.thread).kind == UNI_GDB_HOLD) {
			i++;
			continue;
		}
		drop_pending(stub, i);
		if (still_holds(stub, &event)) {
			stub->current = event;
			return true;
		}
	}
	return false;
}
