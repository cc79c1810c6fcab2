/* SPDX-License-Identifier: MIT */
/*
 * The frames of the probe and trace ports, and of the supervisor's client sockets.
 *
 * A frame is struct uni_frame followed by `length` bytes of payload. A payload starts with the
 * structure of its type; tables carry `record_size` and `count`, and a reader steps by record_size
 * and takes from each record what it knows. All integers are little-endian; text is UTF-8 without a
 * NUL where its length is given, and padded with NULs in fixed fields (a full field has none).
 * Offset tables are in docs/formats/frames.md.
 *
 * UNI_FRAME_VERSION (in the hello) rises when an existing field changes. New types and fields added
 * at the end of a payload or a record do not raise it. Unknown types are skipped by their length.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define UNI_PORT_GDB "org.uniscope.gdb.0"
#define UNI_PORT_PROBE "org.uniscope.probe.0"
#define UNI_PORT_TRACE "org.uniscope.trace.0"
#define UNI_PORT_APP "org.uniscope.app.0"

#define UNI_FRAME_MAGIC 0x46494e55u /* "UNIF" */
#define UNI_FRAME_VERSION 1
#define UNI_FRAME_PAYLOAD_MAX (1u << 20)

#define UNI_BOOT_ID_SIZE 16
#define UNI_BUILD_ID_MAX 32
#define UNI_NAME_SIZE 32

struct uni_frame {
	uint32_t magic;	   /* UNI_FRAME_MAGIC: a reader that joins midway looks for it */
	uint16_t type;	   /* enum uni_frame_type */
	uint16_t reserved; /* 0 */
	uint32_t length;   /* bytes of payload, at most UNI_FRAME_PAYLOAD_MAX */
	uint32_t sequence; /* a request's number, repeated by its REPLY; 0 where nothing is asked */
};

_Static_assert(sizeof(struct uni_frame) == 16, "frame layout");

enum uni_frame_type {
	/* guest to host */
	UNI_FRAME_HELLO = 1,	    /* struct uni_hello */
	UNI_FRAME_METRIC_TABLE = 2, /* struct uni_table, struct uni_metric_desc... */
	UNI_FRAME_METRICS = 3,	   /* struct uni_table, struct uni_metric_value...: the heartbeat */
	UNI_FRAME_CPUS = 4,	   /* struct uni_table, struct uni_cpu_record... */
	UNI_FRAME_THREADS = 5,	   /* struct uni_table, struct uni_thread_record... */
	UNI_FRAME_LOG = 6,	   /* struct uni_log_batch, then struct uni_log_record + text... */
	UNI_FRAME_REPLY = 7,	   /* struct uni_reply, then text for people */
	UNI_FRAME_TRACEPOINTS = 8, /* struct uni_tracepoint_state, then a bitmap of ids */
	UNI_FRAME_TRACE_PACKET = 9, /* one CTF packet (trace_abi.h) */
	UNI_FRAME_TRACE_STATS = 10, /* struct uni_table, struct uni_trace_stats_record... */
	UNI_FRAME_PANIC = 11,	    /* struct uni_panic_record */
	UNI_FRAME_DUMP_BEGIN = 12,  /* struct uni_dump_begin */
	UNI_FRAME_DUMP_DATA = 13,   /* struct uni_dump_data, then bytes of the core file */
	UNI_FRAME_DUMP_END = 14,    /* struct uni_dump_end */
	UNI_FRAME_BYE = 15,	    /* struct uni_bye: the guest shuts down of its own will */

	/* host to guest; each is answered by a REPLY */
	UNI_FRAME_HELLO_REQUEST = 64, /* empty: answered by HELLO, METRIC_TABLE, TRACEPOINTS too */
	UNI_FRAME_INTERVAL = 65,      /* struct uni_interval: time between two heartbeats */
	UNI_FRAME_SNAPSHOT = 66,      /* empty: METRICS, CPUS, THREADS and LOG at once */
	UNI_FRAME_TRACEPOINTS_SET =
		67,		    /* struct uni_tracepoint_state, bitmap: exactly these are on */
	UNI_FRAME_TRACE_START = 68, /* struct uni_trace_start: a session, counters from 0 */
	UNI_FRAME_TRACE_STOP = 69, /* empty: all off; flushes, then TRACE_STATS on the trace port */
	UNI_FRAME_CRASH = 70,	   /* struct uni_crash_request: panic with this reason */
	UNI_FRAME_SHUTDOWN = 71,   /* empty: end cleanly */
	UNI_FRAME_PING = 72,	   /* empty */

	/* between the supervisor and its clients only */
	UNI_FRAME_STATE = 128, /* struct uni_guest_state: sent at connect and at each change */
	UNI_FRAME_CLIENT_LOST = 129, /* struct uni_client_lost: this client was too slow */
	UNI_FRAME_STOP = 130, /* struct uni_stop_request: end the guest; REPLY when it is gone */
	UNI_FRAME_QEMU_GDB = 131, /* empty: open QEMU's own gdb stub; REPLY has its socket's path */
};

/* Opens every table. */
struct uni_table {
	uint64_t tsc;	      /* when it was taken */
	uint64_t time_ns;     /* the guest's monotonic clock then, from boot */
	uint32_t count;	      /* records that follow */
	uint32_t total;	      /* records there are, in this and other frames of the same tsc */
	uint16_t record_size; /* bytes from one record to the next */
	uint16_t reserved;    /* 0 */
	uint32_t reserved2;   /* 0 */
};

_Static_assert(sizeof(struct uni_table) == 32, "table layout");

enum uni_clock_method {
	UNI_CLOCK_UNKNOWN = 0,
	UNI_CLOCK_CPUID = 1,
	UNI_CLOCK_KVMCLOCK = 2,
	UNI_CLOCK_PIT = 3,
};

#define UNI_FEATURE_GDB (1u << 0)   /* a stub answers on UNI_PORT_GDB */
#define UNI_FEATURE_TRACE (1u << 1) /* packets come on UNI_PORT_TRACE */
#define UNI_FEATURE_DUMP (1u << 2)  /* a panic streams its own core */
#define UNI_FEATURE_APP (1u << 3)   /* the application serves UNI_PORT_APP */

struct uni_hello {
	uint16_t version;     /* UNI_FRAME_VERSION */
	uint16_t header_size; /* bytes of this structure; the command line follows it */
	uint32_t cpu_count;
	uint8_t boot_id[UNI_BOOT_ID_SIZE]; /* random: one life of one guest */
	uint8_t build_id[UNI_BUILD_ID_MAX];
	uint32_t build_id_len; /* 0: the image has none */
	uint32_t features;     /* UNI_FEATURE_* */
	uint64_t tsc_hz;
	uint64_t tsc;	       /* now */
	uint64_t time_ns;      /* the guest's monotonic clock at that TSC */
	uint64_t memory_size;  /* bytes of RAM */
	uint32_t clock_method; /* enum uni_clock_method */
	uint32_t interval_ms;  /* between two heartbeats */
	char application[UNI_NAME_SIZE];
	char kernel[UNI_NAME_SIZE]; /* name and version, as "uniscope 0.1.0" */
	uint32_t cmdline_len;	    /* bytes of command line after this structure */
	uint32_t trace_packet_size; /* bytes of a sub-buffer; 0 without UNI_FEATURE_TRACE */
};

_Static_assert(offsetof(struct uni_hello, boot_id) == 8, "hello layout");
_Static_assert(offsetof(struct uni_hello, build_id) == 24, "hello layout");
_Static_assert(offsetof(struct uni_hello, tsc_hz) == 64, "hello layout");
_Static_assert(offsetof(struct uni_hello, clock_method) == 96, "hello layout");
_Static_assert(offsetof(struct uni_hello, application) == 104, "hello layout");
_Static_assert(sizeof(struct uni_hello) == 176, "hello layout");

enum uni_metric_kind {
	UNI_METRIC_COUNTER = 1, /* only rises; a reader shows the rate */
	UNI_METRIC_GAUGE = 2,	/* a level at this moment */
};

enum uni_metric_unit {
	UNI_UNIT_NONE = 0, /* a plain count */
	UNI_UNIT_BYTES = 1,
	UNI_UNIT_NS = 2,
	UNI_UNIT_PERMILLE = 3,
};

struct uni_metric_desc {
	uint32_t id; /* unique in this boot */
	uint8_t kind;
	uint8_t unit;
	uint16_t reserved;
	char name[56]; /* "heap.used", dots between words of the path */
};

_Static_assert(sizeof(struct uni_metric_desc) == 64, "metric description layout");

struct uni_metric_value {
	uint32_t id;
	uint32_t reserved;
	uint64_t value;
};

_Static_assert(sizeof(struct uni_metric_value) == 16, "metric value layout");

struct uni_cpu_record {
	uint32_t cpu;
	uint32_t thread; /* running now; the idle thread when idle */
	uint64_t busy_ns;
	uint64_t irq_ns;
	uint64_t idle_ns;
	uint64_t switches;
	uint64_t interrupts;
	uint32_t nmis;
	uint32_t ready; /* threads in its run queue */
};

_Static_assert(sizeof(struct uni_cpu_record) == 56, "CPU record layout");

enum uni_thread_state {
	UNI_THREAD_READY = 1,
	UNI_THREAD_RUNNING = 2,
	UNI_THREAD_BLOCKED = 3,
	UNI_THREAD_SLEEPING = 4,
	UNI_THREAD_EXITED = 5, /* not joined yet */
};

enum uni_wait_kind {
	UNI_WAIT_NONE = 0,
	UNI_WAIT_MUTEX = 1,
	UNI_WAIT_COND = 2,
	UNI_WAIT_SEM = 3,
	UNI_WAIT_JOIN = 4,
	UNI_WAIT_SLEEP = 5,
	UNI_WAIT_PORT = 6,
};

#define UNI_THREAD_IDLE (1u << 0)    /* the idle thread of its CPU */
#define UNI_THREAD_PINNED (1u << 1)  /* runs on `cpu` only */
#define UNI_THREAD_CRASHED (1u << 2) /* in a dump: the one that caused it */

struct uni_thread_record {
	uint32_t id;		/* from 1; what gdb and the dump call it too */
	uint8_t state;		/* enum uni_thread_state */
	uint8_t priority;	/* higher runs first */
	uint8_t wait_kind;	/* enum uni_wait_kind */
	uint8_t flags;		/* UNI_THREAD_* */
	uint32_t cpu;		/* runs there, or ran there last */
	uint32_t wait_owner;	/* thread that holds what it waits for; 0: unknown or none */
	uint64_t wait_object;	/* address; 0: none */
	uint64_t wait_since_ns; /* the guest's monotonic clock */
	uint64_t run_ns;	/* on a CPU, in total */
	uint64_t switches;	/* times it was switched to */
	uint64_t entry;		/* address of its function */
	uint64_t pc;		/* where it stopped running; 0 while it runs */
	uint32_t stack_size;	/* bytes */
	uint32_t stack_used;	/* bytes, the most so far */
	char name[UNI_NAME_SIZE];
	char wait_name[UNI_NAME_SIZE]; /* of the object it waits for */
};

_Static_assert(offsetof(struct uni_thread_record, wait_object) == 16, "thread record layout");
_Static_assert(offsetof(struct uni_thread_record, stack_size) == 64, "thread record layout");
_Static_assert(offsetof(struct uni_thread_record, name) == 72, "thread record layout");
_Static_assert(sizeof(struct uni_thread_record) == 136, "thread record layout");

struct uni_log_batch {
	uint64_t lost; /* overwritten before they could be sent, since the host opened the port */
	uint32_t count;
	uint32_t reserved;
};

_Static_assert(sizeof(struct uni_log_batch) == 16, "log batch layout");

enum uni_log_level {
	UNI_LOG_ERROR = 1,
	UNI_LOG_WARNING = 2,
	UNI_LOG_INFO = 3,
	UNI_LOG_DEBUG = 4,
};

/* Followed by text_len bytes and padding to a multiple of 8. */
struct uni_log_record {
	uint64_t sequence; /* from 0; a gap is a loss */
	uint64_t time_ns;
	uint32_t thread;
	uint16_t cpu;
	uint8_t level;
	uint8_t reserved;
	uint32_t text_len;
	uint32_t reserved2;
};

_Static_assert(sizeof(struct uni_log_record) == 32, "log record layout");

struct uni_reply {
	int32_t status;	   /* 0 or a negative UNI_E* */
	uint32_t text_len; /* bytes of text after this structure */
};

_Static_assert(sizeof(struct uni_reply) == 8, "reply layout");

/* Bit n of the bitmap (byte n / 8, bit n % 8) is the tracepoint with the id n. */
struct uni_tracepoint_state {
	uint32_t event_count; /* bits; the bitmap has (event_count + 7) / 8 bytes */
	uint32_t reserved;
};

_Static_assert(sizeof(struct uni_tracepoint_state) == 8, "tracepoint state layout");

enum uni_trace_mode {
	UNI_TRACE_STREAM = 1,	 /* packets go out as they fill; what finds no room is counted */
	UNI_TRACE_OVERWRITE = 2, /* flight recorder: the oldest packet makes room */
};

struct uni_trace_start {
	uint32_t mode; /* enum uni_trace_mode */
	uint32_t reserved;
};

_Static_assert(sizeof(struct uni_trace_start) == 8, "trace start layout");

struct uni_trace_stats_record {
	uint32_t cpu;
	uint32_t reserved;
	uint64_t emitted;   /* in this session: tracepoints passed while on */
	uint64_t discarded; /* of these, dropped for want of room */
	uint64_t overwritten;
	uint64_t packets; /* sent */
};

_Static_assert(sizeof(struct uni_trace_stats_record) == 40, "trace statistics layout");

struct uni_interval {
	uint32_t interval_ms; /* 10 to 60,000 */
	uint32_t reserved;
};

_Static_assert(sizeof(struct uni_interval) == 8, "interval layout");

enum uni_panic_kind {
	UNI_PANIC_FAULT = 1,	/* a fault of the processor that no other kind names */
	UNI_PANIC_ASSERT = 2,	/* an assertion, or panic() with a text */
	UNI_PANIC_OOM = 3,	/* out of memory */
	UNI_PANIC_DEADLOCK = 4, /* a cycle of threads that wait for one another */
	UNI_PANIC_STACK_OVERFLOW = 5,
	UNI_PANIC_DOUBLE_FAULT = 6,
	UNI_PANIC_HANG = 7,    /* the host found the guest silent and asked */
	UNI_PANIC_REQUEST = 8, /* an operator asked */
	UNI_PANIC_MACHINE_CHECK = 9,
};

/* Text before memory: whoever has only this frame has the report already. */
struct uni_panic_record {
	uint16_t header_size; /* bytes of this structure; the reason follows it */
	uint16_t kind;	      /* enum uni_panic_kind */
	uint32_t cpu;
	uint32_t thread;
	uint32_t vector; /* of the fault; 0xffffffff: none */
	uint64_t error_code;
	uint64_t address; /* CR2 of a page fault, else 0 */
	uint64_t pc;
	uint64_t sp;
	uint64_t tsc;
	uint64_t time_ns;
	uint32_t frame_count; /* entries of `frames` that hold something */
	uint32_t reason_len;  /* bytes of text after this structure */
	uint64_t frames[32];  /* return addresses, innermost first, by frame pointers; [0] is pc */
};

_Static_assert(offsetof(struct uni_panic_record, error_code) == 16, "panic record layout");
_Static_assert(offsetof(struct uni_panic_record, frame_count) == 64, "panic record layout");
_Static_assert(sizeof(struct uni_panic_record) == 328, "panic record layout");

#define UNI_PANIC_NO_VECTOR 0xffffffffu

struct uni_crash_request {
	uint32_t kind; /* UNI_PANIC_HANG or UNI_PANIC_REQUEST */
	uint32_t reserved;
};

_Static_assert(sizeof(struct uni_crash_request) == 8, "crash request layout");

struct uni_dump_begin {
	uint64_t file_size; /* bytes of the core file, holes included */
	uint64_t data_size; /* bytes that will come at most; 0: not known */
};

_Static_assert(sizeof(struct uni_dump_begin) == 16, "dump begin layout");

/* Bytes of the core file from `offset` on. What no frame brings reads as zeroes: a file hole. */
struct uni_dump_data {
	uint64_t offset;
};

_Static_assert(sizeof(struct uni_dump_data) == 8, "dump data layout");

struct uni_dump_end {
	int32_t status; /* 0, or what stopped it */
	uint32_t reserved;
	uint64_t data_size; /* bytes of core file that were sent */
};

_Static_assert(sizeof(struct uni_dump_end) == 16, "dump end layout");

struct uni_bye {
	int32_t status; /* what the application's main returned */
	uint32_t reserved;
};

_Static_assert(sizeof(struct uni_bye) == 8, "bye layout");

enum uni_guest_run_state {
	UNI_GUEST_BOOTING = 1, /* QEMU runs, no hello yet */
	UNI_GUEST_RUNNING = 2,
	UNI_GUEST_PAUSED = 3,	/* by QMP */
	UNI_GUEST_DEBUGGED = 4, /* gdb is attached and holds it */
	UNI_GUEST_CRASHED = 5,
	UNI_GUEST_DUMPING = 6, /* its core is on the way */
	UNI_GUEST_EXITED = 7,
};

struct uni_guest_state {
	uint32_t state; /* enum uni_guest_run_state */
	uint32_t pid;	/* of QEMU; 0: gone */
	uint64_t started_unix_ns;
	uint64_t cpu_ns;     /* host CPU time of all vCPU threads */
	uint64_t starved_ns; /* time these threads were runnable and waited for a host CPU */
	uint64_t client_count;
	char guest[64];
	char dump[64]; /* id of the dump of this life; empty: none */
};

_Static_assert(sizeof(struct uni_guest_state) == 168, "guest state layout");

struct uni_client_lost {
	uint64_t frames; /* dropped for this client since it connected */
	uint64_t bytes;
	uint64_t trace_events; /* of these, events in trace packets */
};

_Static_assert(sizeof(struct uni_client_lost) == 24, "client loss layout");

struct uni_stop_request {
	uint32_t grace_ms; /* time to end by itself before QEMU is told to quit */
	uint32_t reserved;
};

_Static_assert(sizeof(struct uni_stop_request) == 8, "stop request layout");
