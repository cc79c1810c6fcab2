/* SPDX-License-Identifier: MIT */

/* Every packet that the stub knows. Searched from the top, so a name stands above those that it
 * starts with. */

#include "gdbstub/stub_internal.h"

#define PACKET(name, run, section, feature)                   \
	{                                                     \
		name, run, section, UNI_GDB_FEATURE_##feature \
	}

static const struct uni_gdb_command commands[] = {
	PACKET("qSupported", uni_gdb_cmd_query_supported, "General Query Packets", ALWAYS),
	PACKET("QStartNoAckMode", uni_gdb_cmd_no_ack, "General Query Packets", NO_ACK),
	PACKET("QThreadEvents:", uni_gdb_cmd_thread_events, "General Query Packets", THREAD_EVENTS),
	PACKET("QNonStop:", uni_gdb_cmd_non_stop, "General Query Packets", NON_STOP),
	PACKET("qAttached", uni_gdb_cmd_attached, "General Query Packets", ALWAYS),
	PACKET("qRcmd,", uni_gdb_cmd_monitor, "General Query Packets", ALWAYS),
	PACKET("qCRC:", uni_gdb_cmd_crc, "General Query Packets", ALWAYS),
	PACKET("qSearch:memory:", uni_gdb_cmd_search, "General Query Packets", SEARCH_MEMORY),
	PACKET("qGetTLSAddr:", uni_gdb_cmd_tls_address, "General Query Packets", ALWAYS),
	PACKET("qThreadExtraInfo,", uni_gdb_cmd_thread_extra, "General Query Packets", ALWAYS),
	PACKET("qfThreadInfo", uni_gdb_cmd_first_threads, "General Query Packets", ALWAYS),
	PACKET("qsThreadInfo", uni_gdb_cmd_more_threads, "General Query Packets", ALWAYS),
	PACKET("qXfer:features:read:", uni_gdb_cmd_xfer_features, "General Query Packets",
	       TARGET_FEATURES),
	PACKET("qXfer:traceframe-info:read:", uni_gdb_cmd_xfer_frame_info, "Traceframe Info Format",
	       TRACEPOINTS),
	PACKET("qXfer:auxv:read:", uni_gdb_cmd_xfer_auxv, "General Query Packets", NON_STOP),
	PACKET("qXfer:memory-map:read:", uni_gdb_cmd_xfer_memory_map, "Memory Map Format",
	       MEMORY_MAP),
	PACKET("qXfer:threads:read:", uni_gdb_cmd_xfer_threads, "Thread List Format", THREADS_XML),
	PACKET("qTStatus", uni_gdb_cmd_trace_status, "Tracepoint Packets", TRACEPOINTS),
	PACKET("qTMinFTPILen", uni_gdb_cmd_trace_call_len, "Tracepoint Packets", FAST_TRACEPOINTS),
	PACKET("QTinit", uni_gdb_cmd_trace_init, "Tracepoint Packets", TRACEPOINTS),
	PACKET("QTDPsrc:", uni_gdb_cmd_tracepoint_source, "Tracepoint Packets", TRACEPOINTS),
	PACKET("QTDP:", uni_gdb_cmd_define_tracepoint, "Tracepoint Packets", TRACEPOINTS),
	PACKET("QTEnable:", uni_gdb_cmd_enable_tracepoint, "Tracepoint Packets", TRACEPOINTS),
	PACKET("QTDisable:", uni_gdb_cmd_disable_tracepoint, "Tracepoint Packets", TRACEPOINTS),
	PACKET("QTro", uni_gdb_cmd_trace_read_only, "Tracepoint Packets", TRACEPOINTS),
	PACKET("QTDisconnected:", uni_gdb_cmd_trace_disconnected, "Tracepoint Packets",
	       TRACEPOINTS),
	PACKET("QTBuffer:circular:", uni_gdb_cmd_trace_circular, "Tracepoint Packets", TRACEPOINTS),
	PACKET("QTBuffer:size:", uni_gdb_cmd_trace_size, "Tracepoint Packets", TRACEPOINTS),
	PACKET("QTNotes:", uni_gdb_cmd_trace_notes, "Tracepoint Packets", TRACEPOINTS),
	PACKET("QTStart", uni_gdb_cmd_trace_start, "Tracepoint Packets", TRACEPOINTS),
	PACKET("QTStop", uni_gdb_cmd_trace_stop, "Tracepoint Packets", TRACEPOINTS),
	PACKET("QTFrame:", uni_gdb_cmd_select_frame, "Tracepoint Packets", TRACEPOINTS),
	PACKET("qTBuffer:", uni_gdb_cmd_trace_buffer, "Tracepoint Packets", TRACEPOINTS),
	PACKET("qTfP", uni_gdb_cmd_first_tracepoint, "Tracepoint Packets", TRACEPOINTS),
	PACKET("qTsP", uni_gdb_cmd_next_tracepoint, "Tracepoint Packets", TRACEPOINTS),
	PACKET("qTP:", uni_gdb_cmd_tracepoint_status, "Tracepoint Packets", TRACEPOINTS),
	PACKET("QTDV:", uni_gdb_cmd_define_variable, "Tracepoint Packets", TRACEPOINTS),
	PACKET("qTfV", uni_gdb_cmd_first_variable, "Tracepoint Packets", TRACEPOINTS),
	PACKET("qTsV", uni_gdb_cmd_next_variable, "Tracepoint Packets", TRACEPOINTS),
	PACKET("qTV:", uni_gdb_cmd_variable, "Tracepoint Packets", TRACEPOINTS),
	PACKET("Qbtrace:bts", uni_gdb_cmd_branch_start, "General Query Packets", BRANCHES),
	PACKET("Qbtrace:off", uni_gdb_cmd_branch_stop, "General Query Packets", BRANCHES),
	PACKET("Qbtrace-conf:bts:size=", uni_gdb_cmd_branch_size, "General Query Packets",
	       BRANCHES),
	PACKET("qXfer:btrace:read:", uni_gdb_cmd_xfer_branches, "Branch Trace Format", BRANCHES),
	PACKET("qXfer:btrace-conf:read:", uni_gdb_cmd_xfer_branch_config,
	       "Branch Trace Configuration Format", BRANCHES),
	/* Below the queries that it is the start of. */
	PACKET("qCRC", uni_gdb_cmd_unknown, "General Query Packets", ALWAYS),
	PACKET("qC", uni_gdb_cmd_current_thread, "General Query Packets", ALWAYS),
	PACKET("vCont?", uni_gdb_cmd_vcont_query, "Packets", VERBOSE_RESUME),
	PACKET("vCont;", uni_gdb_cmd_vcont, "Packets", VERBOSE_RESUME),
	PACKET("vStopped", uni_gdb_cmd_stopped, "Notification Packets", NON_STOP),
	PACKET("vCtrlC", uni_gdb_cmd_interrupt, "Packets", NON_STOP),
	PACKET("vKill", uni_gdb_cmd_vkill, "Packets", ALWAYS),
	PACKET("vFile:open:", uni_gdb_cmd_file_open, "Host I/O Packets", FILES),
	PACKET("vFile:pread:", uni_gdb_cmd_file_read, "Host I/O Packets", FILES),
	PACKET("vFile:close:", uni_gdb_cmd_file_close, "Host I/O Packets", FILES),
	PACKET("v", uni_gdb_cmd_unknown, "Packets: vMustReplyEmpty", ALWAYS),
	PACKET("q", uni_gdb_cmd_unknown, "General Query Packets", ALWAYS),
	PACKET("Q", uni_gdb_cmd_unknown, "General Query Packets", ALWAYS),
	PACKET("?", uni_gdb_cmd_why, "Packets", ALWAYS),
	PACKET("c", uni_gdb_cmd_continue, "Packets", ALWAYS),
	PACKET("C", uni_gdb_cmd_continue_signal, "Packets", ALWAYS),
	PACKET("D", uni_gdb_cmd_detach, "Packets", ALWAYS),
	PACKET("g", uni_gdb_cmd_read_registers, "Packets", ALWAYS),
	PACKET("G", uni_gdb_cmd_write_registers, "Packets", ALWAYS),
	PACKET("H", uni_gdb_cmd_set_thread, "Packets", ALWAYS),
	PACKET("k", uni_gdb_cmd_kill, "Packets", ALWAYS),
	PACKET("m", uni_gdb_cmd_read_memory, "Packets", ALWAYS),
	PACKET("M", uni_gdb_cmd_write_memory, "Packets", ALWAYS),
	PACKET("p", uni_gdb_cmd_read_register, "Packets", ALWAYS),
	PACKET("P", uni_gdb_cmd_write_register, "Packets", ALWAYS),
	PACKET("s", uni_gdb_cmd_step, "Packets", ALWAYS),
	PACKET("S", uni_gdb_cmd_step_signal, "Packets", ALWAYS),
	PACKET("T", uni_gdb_cmd_thread_alive, "Packets", ALWAYS),
	PACKET("X", uni_gdb_cmd_write_binary, "Packets", BINARY_DOWNLOAD),
	PACKET("z", uni_gdb_breakpoint_clear, "Packets", ALWAYS),
	PACKET("Z", uni_gdb_breakpoint_set, "Packets", ALWAYS),
};

const struct uni_gdb_command *uni_gdb_find_command(const struct uni_gdb *stub,
						   struct uni_gdb_cursor *packet)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (uni_gdb_take_text(packet, commands[i].name))
			return uni_gdb_feature_is_on(stub, commands[i].feature) ? &commands[i]
										: NULL;
	return NULL;
}

void uni_gdb_cmd_unknown(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)stub;
	(void)args;
}
