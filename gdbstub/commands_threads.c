/* SPDX-License-Identifier: MIT */

/* Which threads there are, and which one a command is about. */

#include "gdbstub/stub_internal.h"
#include "tracing/errno.h"

void uni_gdb_put_thread(const struct uni_gdb *stub, struct uni_gdb_text *text, uint32_t id)
{
	if (stub->multiprocess) {
		uni_gdb_put_char(text, 'p');
		uni_gdb_put_hex(text, UNI_GDB_PROCESS);
		uni_gdb_put_char(text, '.');
	}
	uni_gdb_put_hex(text, id);
}

uint32_t uni_gdb_general_thread(struct uni_gdb *stub)
{
	return stub->general_thread > 0 ? (uint32_t)stub->general_thread : stub->current.thread;
}

bool uni_gdb_thread_exists(struct uni_gdb *stub, uint32_t id)
{
	return id && stub->ops->thread_find(stub->context, id, NULL);
}

/* Hg, Hc; "Packets". */
void uni_gdb_cmd_set_thread(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	bool general = uni_gdb_take(args, 'g');
	int32_t id;

	if (!general && !uni_gdb_take(args, 'c'))
		return;
	if (!uni_gdb_take_thread(args, &id)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	if (id > 0 && !uni_gdb_thread_exists(stub, (uint32_t)id)) {
		uni_gdb_error(stub, UNI_ENOENT);
		return;
	}
	if (!general)
		stub->continue_thread = id;
	else if (id > 0)
		stub->general_thread = id;
	else
		stub->general_thread = (int32_t)stub->current.thread;
	uni_gdb_ok(stub);
}

void uni_gdb_cmd_thread_alive(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	int32_t id;

	if (uni_gdb_take_thread(args, &id) && id > 0 && uni_gdb_thread_exists(stub, (uint32_t)id))
		uni_gdb_ok(stub);
	else
		uni_gdb_error(stub, UNI_ENOENT);
}

void uni_gdb_cmd_current_thread(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)args;
	uni_gdb_put(&stub->reply, "QC");
	uni_gdb_put_thread(stub, &stub->reply, stub->current.thread);
}

void uni_gdb_cmd_thread_events(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	bool wanted = uni_gdb_take(args, '1');

	if ((!wanted && !uni_gdb_take(args, '0')) || uni_gdb_left(args)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	stub->thread_events = wanted;
	uni_gdb_ok(stub);
}

bool uni_gdb_next_thread(struct uni_gdb *stub, const void **cursor, uint32_t *last,
			 struct uni_gdb_thread *thread)
{
	bool finds_again = !*cursor && *last;
	bool found;

	do
		found = stub->ops->thread_next(stub->context, cursor, thread);
	while (found && finds_again && thread->id <= *last);
	if (found)
		*last = thread->id;
	return found;
}

/* One reply holds as many as a request of gdb's usual size would. */
#define IDS_A_REPLY 400

void uni_gdb_cmd_more_threads(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_thread thread;
	unsigned count = 0;

	(void)args;
	while (count < IDS_A_REPLY &&
	       uni_gdb_next_thread(stub, &stub->threads_cursor, &stub->threads_last, &thread)) {
		uni_gdb_put_char(&stub->reply, count++ ? ',' : 'm');
		uni_gdb_put_thread(stub, &stub->reply, thread.id);
	}
	if (!count)
		uni_gdb_put_char(&stub->reply, 'l');
}

void uni_gdb_cmd_first_threads(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	stub->threads_cursor = NULL;
	stub->threads_last = 0;
	uni_gdb_cmd_more_threads(stub, args);
}

static size_t length(const char *string, size_t max)
{
	size_t len = 0;

	while (len < max && string[len])
		len++;
	return len;
}

/* qGetTLSAddr:thread,offset,module; there is one module, and its number is gdb's own affair. */
void uni_gdb_cmd_tls_address(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	uint64_t offset, address;
	int32_t id;

	if (!stub->ops->tls_address)
		return;
	if (!uni_gdb_take_thread(args, &id) || id <= 0 || !uni_gdb_take(args, ',') ||
	    !uni_gdb_take_hex(args, &offset)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	address = stub->ops->tls_address(stub->context, (uint32_t)id, offset);
	if (address)
		uni_gdb_put_hex(&stub->reply, address);
	else
		uni_gdb_error(stub, UNI_ENOENT);
}

void uni_gdb_cmd_thread_extra(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_thread thread;
	int32_t id;

	if (!uni_gdb_take_thread(args, &id) || id <= 0 ||
	    !stub->ops->thread_find(stub->context, (uint32_t)id, &thread)) {
		uni_gdb_error(stub, UNI_ENOENT);
		return;
	}
	uni_gdb_put_hex_bytes(&stub->reply, thread.name, length(thread.name, UNI_GDB_NAME_SIZE));
	uni_gdb_put_hex_bytes(&stub->reply, ": ", 2);
	uni_gdb_put_hex_bytes(&stub->reply, thread.extra, length(thread.extra, UNI_GDB_EXTRA_SIZE));
}
