/* SPDX-License-Identifier: MIT */

/* Every packet that the stub knows. Searched from the top, so a name stands above those that it
 * starts with. */

#include "gdbstub/stub_internal.h"

static const struct uni_gdb_command commands[] = {
	{"qSupported", uni_gdb_cmd_query_supported, "General Query Packets"},
	{"QStartNoAckMode", uni_gdb_cmd_no_ack, "General Query Packets"},
	{"qAttached", uni_gdb_cmd_attached, "General Query Packets"},
	{"qRcmd,", uni_gdb_cmd_monitor, "General Query Packets"},
	{"qCRC:", uni_gdb_cmd_crc, "General Query Packets"},
	{"qSearch:memory:", uni_gdb_cmd_search, "General Query Packets"},
	{"qThreadExtraInfo,", uni_gdb_cmd_thread_extra, "General Query Packets"},
	{"qfThreadInfo", uni_gdb_cmd_first_threads, "General Query Packets"},
	{"qsThreadInfo", uni_gdb_cmd_more_threads, "General Query Packets"},
	{"qXfer:features:read:", uni_gdb_cmd_xfer_features, "General Query Packets"},
	{"qXfer:traceframe-info:read:", uni_gdb_cmd_xfer_frame_info, "Traceframe Info Format"},
	{"qXfer:threads:read:", uni_gdb_cmd_xfer_threads, "Thread List Format"},
	{"qTStatus", uni_gdb_cmd_trace_status, "Tracepoint Packets"},
	{"QTinit", uni_gdb_cmd_trace_init, "Tracepoint Packets"},
	{"QTDPsrc:", uni_gdb_cmd_tracepoint_source, "Tracepoint Packets"},
	{"QTDP:", uni_gdb_cmd_define_tracepoint, "Tracepoint Packets"},
	{"QTEnable:", uni_gdb_cmd_enable_tracepoint, "Tracepoint Packets"},
	{"QTDisable:", uni_gdb_cmd_disable_tracepoint, "Tracepoint Packets"},
	{"QTro", uni_gdb_cmd_trace_read_only, "Tracepoint Packets"},
	{"QTDisconnected:", uni_gdb_cmd_trace_disconnected, "Tracepoint Packets"},
	{"QTBuffer:circular:", uni_gdb_cmd_trace_circular, "Tracepoint Packets"},
	{"QTBuffer:size:", uni_gdb_cmd_trace_size, "Tracepoint Packets"},
	{"QTNotes:", uni_gdb_cmd_trace_notes, "Tracepoint Packets"},
	{"QTStart", uni_gdb_cmd_trace_start, "Tracepoint Packets"},
	{"QTStop", uni_gdb_cmd_trace_stop, "Tracepoint Packets"},
	{"QTFrame:", uni_gdb_cmd_select_frame, "Tracepoint Packets"},
	{"qTBuffer:", uni_gdb_cmd_trace_buffer, "Tracepoint Packets"},
	{"qTfP", uni_gdb_cmd_first_tracepoint, "Tracepoint Packets"},
	{"qTsP", uni_gdb_cmd_next_tracepoint, "Tracepoint Packets"},
	{"qTP:", uni_gdb_cmd_tracepoint_status, "Tracepoint Packets"},
	{"QTDV:", uni_gdb_cmd_define_variable, "Tracepoint Packets"},
	{"qTfV", uni_gdb_cmd_first_variable, "Tracepoint Packets"},
	{"qTsV", uni_gdb_cmd_next_variable, "Tracepoint Packets"},
	{"qTV:", uni_gdb_cmd_variable, "Tracepoint Packets"},
	/* Below the queries that it is the start of. */
	{"qCRC", uni_gdb_cmd_unknown, "General Query Packets"},
	{"qC", uni_gdb_cmd_current_thread, "General Query Packets"},
	{"vCont?", uni_gdb_cmd_vcont_query, "Packets"},
	{"vCont;", uni_gdb_cmd_vcont, "Packets"},
	{"vKill", uni_gdb_cmd_vkill, "Packets"},
	{"v", uni_gdb_cmd_unknown, "Packets: vMustReplyEmpty"},
	{"q", uni_gdb_cmd_unknown, "General Query Packets"},
	{"Q", uni_gdb_cmd_unknown, "General Query Packets"},
	{"?", uni_gdb_cmd_why, "Packets"},
	{"c", uni_gdb_cmd_continue, "Packets"},
	{"C", uni_gdb_cmd_continue_signal, "Packets"},
	{"D", uni_gdb_cmd_detach, "Packets"},
	{"g", uni_gdb_cmd_read_registers, "Packets"},
	{"G", uni_gdb_cmd_write_registers, "Packets"},
	{"H", uni_gdb_cmd_set_thread, "Packets"},
	{"k", uni_gdb_cmd_kill, "Packets"},
	{"m", uni_gdb_cmd_read_memory, "Packets"},
	{"M", uni_gdb_cmd_write_memory, "Packets"},
	{"p", uni_gdb_cmd_read_register, "Packets"},
	{"P", uni_gdb_cmd_write_register, "Packets"},
	{"s", uni_gdb_cmd_step, "Packets"},
	{"S", uni_gdb_cmd_step_signal, "Packets"},
	{"T", uni_gdb_cmd_thread_alive, "Packets"},
	{"X", uni_gdb_cmd_write_binary, "Packets"},
	{"z", uni_gdb_breakpoint_clear, "Packets"},
	{"Z", uni_gdb_breakpoint_set, "Packets"},
};

const struct uni_gdb_command *uni_gdb_find_command(struct uni_gdb_cursor *packet)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (uni_gdb_take_text(packet, commands[i].name))
			return &commands[i];
	return NULL;
}

void uni_gdb_cmd_unknown(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)stub;
	(void)args;
}
