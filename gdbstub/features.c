/* SPDX-License-Identifier: MIT */

/* The parts of the protocol that gdb can do without, each of which `monitor feature` switches.
 * Their names are those of gdb's own `set remote NAME-packet` where it has one. */

#include "gdbstub/stub_internal.h"

static const struct {
	const char *name;
	const char *announced; /* in the answer to qSupported */
} features[] = {
	[UNI_GDB_FEATURE_MULTIPROCESS] = {"multiprocess-feature", "multiprocess+"},
	[UNI_GDB_FEATURE_NO_ACK] = {"noack", "QStartNoAckMode+"},
	[UNI_GDB_FEATURE_VERBOSE_RESUME] = {"verbose-resume", "vContSupported+"},
	[UNI_GDB_FEATURE_RANGE_STEPPING] = {"range-stepping", NULL},
	[UNI_GDB_FEATURE_SWBREAK] = {"swbreak-feature", "swbreak+"},
	[UNI_GDB_FEATURE_HWBREAK] = {"hwbreak-feature", "hwbreak+"},
	[UNI_GDB_FEATURE_SOFTWARE_BREAKPOINT] = {"software-breakpoint", NULL},
	[UNI_GDB_FEATURE_HARDWARE_BREAKPOINT] = {"hardware-breakpoint", NULL},
	[UNI_GDB_FEATURE_WRITE_WATCHPOINT] = {"write-watchpoint", NULL},
	[UNI_GDB_FEATURE_ACCESS_WATCHPOINT] = {"access-watchpoint", NULL},
	[UNI_GDB_FEATURE_CONDITIONS] = {"conditional-breakpoints", "ConditionalBreakpoints+"},
	[UNI_GDB_FEATURE_COMMANDS] = {"breakpoint-commands", "BreakpointCommands+"},
	[UNI_GDB_FEATURE_TRACEPOINTS] =
		{"tracepoints", "qXfer:traceframe-info:read+;ConditionalTracepoints+;"
				"TracepointSource+;EnableDisableTracepoints+;InstallInTrace+;"
				"DisconnectedTracing+;QTBuffer:size+;tracenz+"},
	[UNI_GDB_FEATURE_FAST_TRACEPOINTS] = {"fast-tracepoints", "FastTracepoints+"},
	[UNI_GDB_FEATURE_TARGET_FEATURES] = {"target-features", "qXfer:features:read+"},
	[UNI_GDB_FEATURE_THREADS_XML] = {"threads", "qXfer:threads:read+"},
	[UNI_GDB_FEATURE_MEMORY_MAP] = {"memory-map", "qXfer:memory-map:read+"},
	[UNI_GDB_FEATURE_THREAD_EVENTS] = {"thread-events", "QThreadEvents+"},
	/* A session begins with nothing recorded. To a `+` for the configuration gdb asks each
	 * thread whether it is. */
	[UNI_GDB_FEATURE_BRANCHES] =
		{"btrace", "Qbtrace:bts+;Qbtrace:off+;Qbtrace-conf:bts:size+;qXfer:btrace:read+;"
			   "qXfer:btrace-conf:read?"},
	[UNI_GDB_FEATURE_BINARY_DOWNLOAD] = {"binary-download", NULL},
	[UNI_GDB_FEATURE_SEARCH_MEMORY] = {"search-memory", NULL},
	[UNI_GDB_FEATURE_NON_STOP] = {"non-stop", "QNonStop+;qXfer:auxv:read+"},
	[UNI_GDB_FEATURE_FILES] = {"hostio", NULL},
	[UNI_GDB_FEATURE_NO_RESUMED] = {"no-resumed-stop-reply", "no-resumed+"},
	[UNI_GDB_FEATURE_EXEC] = {"exec-event-feature", "exec-events+"},
};

#define COUNT (sizeof(features) / sizeof(features[0]))

_Static_assert(COUNT <= 32, "a bit each");

bool uni_gdb_feature_is_on(const struct uni_gdb *stub, enum uni_gdb_feature feature)
{
	if (stub->options.features_off >> feature & 1)
		return false;
	if (feature == UNI_GDB_FEATURE_FAST_TRACEPOINTS)
		return stub->ops->call_entry &&
		       uni_gdb_feature_is_on(stub, UNI_GDB_FEATURE_TRACEPOINTS);
	return feature != UNI_GDB_FEATURE_NON_STOP || stub->ops->thread_hold;
}

void uni_gdb_put_features(const struct uni_gdb *stub, struct uni_gdb_text *text)
{
	for (unsigned i = UNI_GDB_FEATURE_ALWAYS + 1; i < COUNT; i++) {
		if (!features[i].announced || !uni_gdb_feature_is_on(stub, i))
			continue;
		uni_gdb_put_char(text, ';');
		uni_gdb_put(text, features[i].announced);
	}
}

static void describe(const struct uni_gdb *stub, unsigned feature, struct uni_gdb_text *out)
{
	uni_gdb_put(out, features[feature].name);
	uni_gdb_put(out, uni_gdb_feature_is_on(stub, feature) ? " on\n" : " off\n");
}

void uni_gdb_switch_feature(struct uni_gdb *stub, struct uni_gdb_cursor *args,
			    struct uni_gdb_text *out)
{
	bool found = false;

	for (unsigned i = UNI_GDB_FEATURE_ALWAYS + 1; i < COUNT; i++) {
		struct uni_gdb_cursor rest = *args;

		if (uni_gdb_left(args) &&
		    !(uni_gdb_take(&rest, ' ') && uni_gdb_take_text(&rest, features[i].name) &&
		      (!uni_gdb_left(&rest) || *rest.at == ' ')))
			continue;
		if (uni_gdb_take_text(&rest, " off"))
			stub->options.features_off |= 1u << i;
		else if (uni_gdb_take_text(&rest, " on"))
			stub->options.features_off &= ~(1u << i);
		describe(stub, i, out);
		found = true;
	}
	if (!found)
		uni_gdb_put(out, "No such feature; `monitor feature` lists them.\n");
}
