/* SPDX-License-Identifier: MIT */

/* What the two sides can, and how they talk. GDB manual, "General Query Packets". */

#include "gdbstub/stub_internal.h"

/* Whether `feature` is one of the list ":feature;feature...". */
static bool is_listed(struct uni_gdb_cursor list, const char *feature)
{
	for (; uni_gdb_left(&list); list.at++) {
		if (*list.at != ':' && *list.at != ';')
			continue;
		struct uni_gdb_cursor entry = {.at = list.at + 1, .end = list.end};

		if (uni_gdb_take_text(&entry, feature) &&
		    (!uni_gdb_left(&entry) || uni_gdb_take(&entry, ';')))
			return true;
	}
	return false;
}

/* gdb sends it once, first of all: a session starts. */
void uni_gdb_cmd_query_supported(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	uni_gdb_breakpoints_forget(stub);
	uni_gdb_stop_forget(stub);
	uni_gdb_branches_forget(stub);
	uni_gdb_calls_undo(stub);
	stub->multiprocess = is_listed(*args, "multiprocess+") &&
			     uni_gdb_feature_is_on(stub, UNI_GDB_FEATURE_MULTIPROCESS);
	stub->no_resumed = is_listed(*args, "no-resumed+") &&
			   uni_gdb_feature_is_on(stub, UNI_GDB_FEATURE_NO_RESUMED);
	stub->exec_events = is_listed(*args, "exec-events+") &&
			    uni_gdb_feature_is_on(stub, UNI_GDB_FEATURE_EXEC);
	stub->stays = false;
	stub->trace.selected.is = false;
	stub->action_count = 0;
	stub->interrupted = false;
	stub->thread_events = false;
	uni_gdb_put(&stub->reply, "PacketSize=");
	uni_gdb_put_hex(&stub->reply, UNI_GDB_PACKET_SIZE);
	uni_gdb_put_features(stub, &stub->reply);
}

void uni_gdb_cmd_no_ack(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)args;
	if (stub->acks == UNI_GDB_ACKS)
		stub->acks = UNI_GDB_LAST_ACK;
	uni_gdb_ok(stub);
}

/* gdb detaches from what it is attached to when it quits, and kills what is its own. */
void uni_gdb_cmd_attached(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)args;
	uni_gdb_put_char(&stub->reply, stub->options.kill_on_quit ? '0' : '1');
}
