/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the stub with whole sessions: a machine in memory (gdbstub/hosted/machine.h) that a gdb
 * with bad manners talks to.
 *
 * An input is lines: `!` and three digits is something that happens in the guest (kind, thread,
 * number), `~` is raw bytes on the wire, everything else is the payload of a packet, framed here.
 * Checked, besides what the sanitizers find: every byte that comes back belongs to a well-formed
 * frame or is an acknowledgement; a stopped guest has no breakpoint in its memory; a thread is
 * stopped once, and held then; when gdb is gone nothing that it set is left. At the end it says how
 * many packets there were.
 */
#include <string.h>

#include "gdbstub/hosted/machine.h"
#include "tests/fuzz/replay.h"

static struct machine machine;
static unsigned long packets;

__attribute__((destructor)) static void tell_packets(void)
{
	printf("# %lu packets\n", packets);
}

/* One with all the registers there are. */
static void start_machine(void)
{
	machine_init(&machine);
	machine.stub.register_sets = UINT32_MAX;
	uni_gdb_arch_register_block_init(&machine.stub.registers, UINT32_MAX);
}

static unsigned digit(uint8_t character)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = character ? strchr(digits, character) : NULL;

	CHECK(found);
	return (unsigned)(found - digits);
}

/* Takes one frame off the front; returns its length. */
static size_t check_frame(const uint8_t *bytes, size_t len)
{
	uint8_t sum = 0;
	size_t at = 1;

	for (; at < len && bytes[at] != '#'; at++) {
		CHECK(bytes[at] != '$');
		sum += bytes[at];
		if (bytes[at] == '*') {
			CHECK(at > 1 && at + 1 < len);
			CHECK(bytes[at + 1] >= 32 && bytes[at + 1] <= 126);
		}
	}
	CHECK(at + 2 < len);
	CHECK((digit(bytes[at + 1]) << 4 | digit(bytes[at + 2])) == sum);
	return at + 3;
}

static void check_output(void)
{
	size_t at = 0;

	while (at < machine.from_stub_len) {
		if (machine.from_stub[at] == '$' || machine.from_stub[at] == '%') {
			at += check_frame(machine.from_stub + at, machine.from_stub_len - at);
		} else {
			CHECK(machine.from_stub[at] == '+' || machine.from_stub[at] == '-');
			at++;
		}
	}
	machine.from_stub_len = 0;
}

/* Each stopped thread is so once, and held. */
static void check_stops(void)
{
	CHECK(machine.stub.stop_count <= machine.thread_count);
	for (unsigned i = 0; i < machine.stub.stop_count; i++) {
		uint32_t thread = machine.stub.stops[i].event.thread;

		CHECK(machine.stub.stops[i].state != UNI_GDB_STOP_RESUMED);
		CHECK(machine.threads[thread - 1].held ==
		      (machine.stub.stops[i].event.kind != UNI_GDB_EVENT_ENDED));
		for (unsigned k = 0; k < i; k++)
			CHECK(machine.stub.stops[k].event.thread != thread);
	}
}

static void check_no_breakpoints(void)
{
	CHECK(machine.stub.standing_count == 0);
	for (unsigned i = 0; i < machine.stub.breakpoint_count; i++)
		CHECK(!machine.stub.breakpoints[i].inserted);
}

static void happen(unsigned kind, unsigned thread, unsigned number)
{
	struct uni_gdb_event event = {
		.kind = (enum uni_gdb_event_kind)(kind % UNI_GDB_EVENT_EXIT),
		.signal = (enum uni_gdb_signal)(number % 12),
		.thread = thread % machine.thread_count + 1,
		.slot = number % UNI_GDB_WATCH_SLOTS,
	};

	if (event.kind == UNI_GDB_EVENT_WATCH)
		event.address = machine.stub.watches[event.slot].watch.address;
	else if (machine.stub.breakpoint_count)
		event.address =
			machine.stub.breakpoints[number % machine.stub.breakpoint_count].address;
	machine.threads[event.thread - 1].registers.words[UNI_GDB_RIP] = event.address;
	uni_gdb_event(&machine.stub, &event);
	check_no_breakpoints();
}

/* Each CPU comes by each breakpoint that it may pass. */
static void hit_all(void)
{
	for (unsigned i = 0; i < machine.stub.standing_count; i++) {
		uint64_t address = machine.stub.breakpoints[i].address;
		const struct uni_gdb_breakpoint *breakpoint =
			uni_gdb_breakpoint_passable(&machine.stub, address);
		struct uni_gdb_hit hit = {
			.registers = &machine.threads[i % 2].registers,
			.thread = i % 2 + 1,
			.cpu = (int)(i % 2),
		};

		if (!breakpoint || uni_gdb_breakpoint_hit(&machine.stub, breakpoint, &hit))
			continue;
		for (unsigned step = 0; step < 4 && uni_gdb_trace_steps(&machine.stub, i % 2);
		     step++)
			(void)uni_gdb_trace_stepped(&machine.stub, &hit);
	}
}

/* The thread goes by each exit of the range that it may run through. */
static void pass_range(uint32_t thread)
{
	const struct uni_gdb_range *range = &machine.stub.range;

	CHECK(range->exit_count <= UNI_GDB_EXITS);
	(void)uni_gdb_range_way(&machine.stub, thread, range->start, 0);
	for (unsigned i = 0; i < range->exit_count; i++) {
		CHECK(uni_gdb_breakpoint_passable(&machine.stub, range->exits[i]));
		if (uni_gdb_range_runs(&machine.stub, thread))
			(void)uni_gdb_range_way(&machine.stub, thread, range->exits[i], 0);
	}
}

static void poll(void)
{
	enum uni_gdb_verdict verdict = uni_gdb_poll(&machine.stub);

	check_output();
	check_stops();
	if (verdict == UNI_GDB_STAY) {
		check_no_breakpoints();
		return;
	}
	if (verdict == UNI_GDB_KILL) {
		start_machine();
	} else {
		hit_all();
		for (unsigned i = 0; i < machine.thread_count; i++) {
			(void)uni_gdb_resume_of(&machine.stub, i + 1);
			(void)uni_gdb_step_done(&machine.stub, i + 1, MACHINE_RAM_BASE);
			pass_range(i + 1);
		}
	}
	happen(UNI_GDB_EVENT_ATTENTION, 0, 0);
}

static void send_packet(const uint8_t *payload, size_t len)
{
	uint8_t sum = 0;
	char tail[4];

	packets++;
	for (size_t i = 0; i < len; i++)
		sum += payload[i];
	snprintf(tail, sizeof(tail), "#%02x", sum);
	machine_send(&machine, "$", 1);
	machine_send(&machine, payload, len);
	machine_send(&machine, tail, 3);
}

static void run_line(const uint8_t *line, size_t len)
{
	if (len == 4 && line[0] == '!')
		happen(line[1], line[2], line[3]);
	else if (len > 0 && line[0] == '~')
		machine_send(&machine, line + 1, len - 1);
	else
		send_packet(line, len);
	poll();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	start_machine();
	happen(UNI_GDB_EVENT_ATTENTION, 0, 0);
	while (len > 0) {
		const uint8_t *end = memchr(bytes, '\n', len);
		size_t line = end ? (size_t)(end - bytes) : len;

		run_line(bytes, line);
		bytes += end ? line + 1 : line;
		len -= end ? line + 1 : line;
	}
	uni_gdb_abandon(&machine.stub);
	CHECK(uni_gdb_poll(&machine.stub) == UNI_GDB_RESUME);
	CHECK(machine.stub.breakpoint_count == 0);
	CHECK(machine.stub.standing_count == 0 || machine.stub.trace.disconnected);
	for (unsigned i = 0; i < UNI_GDB_WATCH_SLOTS; i++)
		CHECK(machine.stub.watches[i].watch.kind == UNI_GDB_WATCH_NONE);
	return 0;
}

#define LINES_MAX 40
#define INPUT_MAX 8192

/* In a template `@` is an address, `#` a small number, `%` a thread, `&` a few hex bytes. */
static const char *const templates[] = {
	"?",
	"g",
	"G&",
	"p#",
	"P#=&",
	"p3d",
	"P75=&&&&",
	"P92=112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00",
	"m@,#",
	"m@,ffff",
	"M@,#:&",
	"X@,#:&",
	"Hg%",
	"Hc%",
	"T%",
	"qC",
	"qSupported:swbreak+",
	"qSupported:multiprocess+",
	"Hgp1.#",
	"vCont;c:p1.-1",
	"vCont;s:p1.%;c",
	"Tp#.%",
	"QStartNoAckMode",
	"vCont?",
	"vCont;c",
	"vCont;s:%",
	"vCont;s:%;c",
	"vCont;r@,@:%;c",
	"vCont;r100400,100407:1;c",
	"vCont;r@,10040#:%;c",
	"M100400,7:4883ef0175fac3",
	"M100400,4:&",
	"!03#",
	"vCont;t",
	"vCont;C#:%;S#:%;c:-1",
	"c",
	"s",
	"C#",
	"S#;@",
	"c@",
	"Z0,@,1",
	"z0,@,1",
	"Z#,@,#",
	"z#,@,#",
	"Z1,@,1",
	"Z2,@,#",
	"D",
	"k",
	"vKill;1",
	"qfThreadInfo",
	"qsThreadInfo",
	"qThreadExtraInfo,%",
	"qAttached",
	"qCRC:@,#",
	"qSearch:memory:@;#;&",
	"qRcmd,&",
	"qRcmd,68656c70",
	"qXfer:threads:read::@,#",
	"qXfer:threads:read::0,1000",
	"qXfer:features:read:target.xml:#,#",
	"vMustReplyEmpty",
	"vFile:open:2f70726f632f312f736d617073,#,#",
	"vFile:pread:3,#,#",
	"vFile:pread:4,#,#",
	"QTDV:%:#:0:&",
	"qTfV",
	"qTsV",
	"qTV:%",
	"qTStatus",
	"QTinit",
	"QTDP:%:@:E:#:#-",
	"QTDP:%:@:E:3:0:X4,2c000227",
	"QTDP:%:100410:E:2:0-",
	"QTDP:%:@:E:0:#:F5-",
	"qTMinFTPILen",
	"QTDP:-%:100410:R&",
	"QTDP:-%:100410:M-1,@,#",
	"QTDP:-%:100410:SM5,#,#X7,240010001"
	"00d0327-",
	"QTDPsrc:%:100410:cond:0:#:&",
	"QTEnable:%:100410",
	"QTDisable:%:100410",
	"QTro:@,@:@,@",
	"QTDisconnected:1",
	"QTBuffer:circular:%",
	"QTBuffer:size:#",
	"QTBuffer:size:-1",
	"QTNotes:user:&;notes:&;",
	"QTStart",
	"QTStop",
	"QTFrame:%",
	"QTFrame:ffffffff",
	"QTFrame:pc:100410",
	"QTFrame:tdp:%",
	"QTFrame:range:@:@",
	"QTFrame:outside:@:@",
	"qTBuffer:#,#",
	"qTfP",
	"qTsP",
	"qTP:%:100410",
	"qXfer:traceframe-info:read::#,#",
	"Z0,@,1;X4,2c000227",
	"Z0,@,1;X7,2200"
	"2d000427",
	"~+",
	"~-",
	"~\x03",
	"~$m0,1#ff",
	"~$X&",
	"!2%#",
	"!3%#",
	"!1%#",
	"!4%#",
};

static size_t put_hex(char *out, uint64_t value)
{
	return (size_t)sprintf(out, "%llx", (unsigned long long)value);
}

static uint64_t some_address(void)
{
	switch (replay_random() % 8) {
	case 0:
		return replay_random();
	case 1:
		return MACHINE_HOLE_BASE - replay_random() % 32;
	case 2:
		return MACHINE_RAM_BASE + MACHINE_RAM_SIZE - replay_random() % 32;
	default:
		return MACHINE_RAM_BASE + replay_random() % 64;
	}
}

static size_t make_line(char *out)
{
	const char *from = templates[replay_random() % (sizeof(templates) / sizeof(templates[0]))];
	size_t len = 0;

	for (; *from; from++) {
		if (*from == '@') {
			len += put_hex(out + len, some_address());
		} else if (*from == '#') {
			len += put_hex(out + len, replay_random() >> replay_random() % 64);
		} else if (*from == '%') {
			len += put_hex(out + len, replay_random() % 5);
		} else if (*from == '&') {
			for (uint64_t n = replay_random() % 40; n > 0; n--)
				len += put_hex(out + len, replay_random() % 16);
		} else {
			out[len++] = *from;
		}
	}
	if (replay_random() % 8 == 0 && len > 0)
		out[replay_random() % len] ^= (char)(1u << replay_random() % 8);
	out[len++] = '\n';
	return len;
}

static size_t make(uint8_t *out)
{
	size_t len = 0;

	for (unsigned line = 0; line < LINES_MAX; line++)
		len += make_line((char *)out + len);
	return len;
}

const struct replay replay = {.count = 4000, .size_max = INPUT_MAX, .make = make};
