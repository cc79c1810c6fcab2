/* SPDX-License-Identifier: MIT */
#pragma once

/* GDB's remote serial protocol, from the inside of what is debugged.
 *
 * The stub is an engine without a thread of its own. The platform tells it what happened
 * (uni_gdb_event), lets it talk (uni_gdb_poll), and does what it answers. It never allocates,
 * prints, locks or waits; its state lies in the caller's struct uni_gdb.
 *
 * One CPU at a time may call in here, the platform sees to that, with these exceptions that may run
 * on any number of CPUs while the guest runs, because nothing that they read changes then:
 * uni_gdb_breakpoint_at, uni_gdb_breakpoint_stands, uni_gdb_breakpoint_passable,
 * uni_gdb_breakpoint_hit, uni_gdb_watch_hit, uni_gdb_has_output, uni_gdb_step_done,
 * uni_gdb_range_way, uni_gdb_range_runs, uni_gdb_resume_of, uni_gdb_attached,
 * uni_gdb_wants_thread_events, uni_gdb_wants_end_of, uni_gdb_trace_is_over, uni_gdb_trace_steps,
 * uni_gdb_trace_stepped, uni_gdb_trace_end_steps, uni_gdb_branches_wanted, uni_gdb_branch_is_due,
 * uni_gdb_branch_pc, uni_gdb_branch_from, uni_gdb_branch_to, uni_gdb_branch_along.
 *
 * The life of a stop, seen from the platform:
 *
 *	every CPU is held
 *	uni_gdb_event()               for each CPU that has something to tell
 *	while (uni_gdb_poll() == UNI_GDB_STAY)
 *		;
 *	uni_gdb_resume_of()           for each CPU: hold, go on, step
 *
 * In non-stop mode it is as long as the stub has something to do, and what gdb knows as stopped are
 * threads: those for which thread_hold() was called.
 *
 * Breakpoints are in memory only while the guest runs: uni_gdb_event() lifts them, a resume lays
 * them again. So nothing that reads memory while the guest is stopped ever sees one, and code that
 * the stub itself uses may carry them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gdbstub/arch.h"
#include "gdbstub/branches.h"
#include "gdbstub/calls.h"
#include "gdbstub/packet.h"
#include "gdbstub/range.h"
#include "gdbstub/text.h"
#include "gdbstub/trace.h"

#define UNI_GDB_BREAKPOINTS 1024
#define UNI_GDB_EVENTS 64
#define UNI_GDB_ACTIONS 32
#define UNI_GDB_STOPS 2048
#define UNI_GDB_OWN_ROOM 256
#define UNI_GDB_NAME_SIZE 64
#define UNI_GDB_EXTRA_SIZE 192
#define UNI_GDB_EXPRESSIONS_SIZE 0x10000
#define UNI_GDB_OUTPUT_SIZE 8192
#define UNI_GDB_NO_CPU (-1)

/* What is written at once: gdb reads the beginning of a long reply while the rest is made. */
#define UNI_GDB_PIECE 0x2000

/* The signal numbers of the protocol: GDB manual, "Signals"; include/gdb/signals.def. */
enum uni_gdb_signal {
	UNI_GDB_SIGNAL_NONE = 0,
	UNI_GDB_SIGINT = 2,
	UNI_GDB_SIGILL = 4,
	UNI_GDB_SIGTRAP = 5,
	UNI_GDB_SIGABRT = 6,
	UNI_GDB_SIGFPE = 8,
	UNI_GDB_SIGBUS = 10,
	UNI_GDB_SIGSEGV = 11,
};

/* What the platform tells of a thread. */
struct uni_gdb_thread {
	uint32_t id;	 /* 1 .. 0x7fffffff */
	int cpu;	 /* it runs there; UNI_GDB_NO_CPU: on none, its registers are saved ones */
	bool waits;	 /* on no CPU, and gets none before something happens */
	uint64_t handle; /* the program's pointer to it; 0: it has none */
	char name[UNI_GDB_NAME_SIZE];	/* 0-terminated, any bytes */
	char extra[UNI_GDB_EXTRA_SIZE]; /* 0-terminated: state and so on, for people */
};

struct uni_gdb_memory {
	uint64_t start;
	uint64_t len;
	bool is_device; /* registers: to read them may have effects */
};

/* What the program may do with memory. gdb reads all that is mapped, and writes it. */
enum uni_gdb_access {
	UNI_GDB_READ = 1,
	UNI_GDB_WRITE = 2,
	UNI_GDB_EXECUTE = 4,
};

/* The last stretch of mapped memory that gdb read of in a list of them. */
struct uni_gdb_mapped {
	uint64_t count;	 /* of those up to this one */
	unsigned memory; /* it lies in */
	unsigned access;
	uint64_t start;
	uint64_t end;
};

enum uni_gdb_event_kind {
	UNI_GDB_EVENT_ATTENTION,  /* bytes wait; nothing happened in the guest */
	UNI_GDB_EVENT_BREAKPOINT, /* one of ours; the pc is its address */
	UNI_GDB_EVENT_WATCH,	  /* `slot` fired */
	UNI_GDB_EVENT_STEP,	  /* a step is done */
	UNI_GDB_EVENT_SIGNAL,	  /* `signal`: a fault, a breakpoint instruction of the program */
	UNI_GDB_EVENT_CREATED,	  /* a thread begins; uni_gdb_wants_thread_events() */
	UNI_GDB_EVENT_ENDED,	  /* it ends with `status` */
	UNI_GDB_EVENT_HALTED,	  /* it stays where it is now: thread_hold() */
	UNI_GDB_EVENT_GONE,	  /* it has ended, and there is no such thread any more */
	UNI_GDB_EVENT_EXIT,	  /* the program ends with `status`: gdb's session ends with it */
};

struct uni_gdb_event {
	enum uni_gdb_event_kind kind;
	enum uni_gdb_signal signal;
	uint32_t thread;
	uint64_t address; /* BREAKPOINT: its address; WATCH: what the debug register held; SIGNAL:
			   * of the breakpoint instruction, 0 for a fault */
	unsigned slot;	  /* WATCH: the debug register */
	uint8_t status;	  /* ENDED, EXIT */
};

enum uni_gdb_action_kind { UNI_GDB_HOLD, UNI_GDB_CONTINUE, UNI_GDB_STEP };

/* What a thread is to do. A step ends at the first pc outside [start, end), at once if that is
 * empty. The signal is the one gdb passes on, 0 for none. */
struct uni_gdb_action {
	enum uni_gdb_action_kind kind;
	uint8_t signal;
	int32_t thread; /* UNI_GDB_ALL_THREADS: each that no earlier action names */
	uint64_t start;
	uint64_t end;
};

enum uni_gdb_verdict {
	UNI_GDB_STAY,	/* stopped; poll again */
	UNI_GDB_RESUME, /* resume as uni_gdb_resume_of() says */
	UNI_GDB_KILL,	/* end the guest */
};

struct uni_gdb_ops {
	/* Up to len bytes from gdb. Returns how many, 0 when none are there, negative when gdb is
	 * gone. Never waits. */
	long (*read)(void *context, void *bytes, size_t len);

	/* All of it, waiting a bounded time. 0, or negative: then gdb counts as gone. */
	int (*write)(void *context, const void *bytes, size_t len);

	/* Return how many bytes from the first on were done: less than len where an address is bad.
	 * Writing ignores write protection. */
	size_t (*memory_read)(void *context, uint64_t address, void *bytes, size_t len);
	size_t (*memory_write)(void *context, uint64_t address, const void *bytes, size_t len);

	/* Steps through the threads: *cursor is NULL at first and only handed back after. The list
	 * does not change while the guest is stopped, and a thread that comes later has a higher id
	 * and stands behind. False after the last one. */
	bool (*thread_next)(void *context, const void **cursor, struct uni_gdb_thread *thread);
	/* `thread` may be NULL: then only whether there is one matters. */
	bool (*thread_find)(void *context, uint32_t id, struct uni_gdb_thread *thread);

	/* 0, or negative: no such thread, or its CPU does not answer. */
	int (*registers_get)(void *context, uint32_t thread, struct uni_gdb_registers *registers);
	int (*registers_set)(void *context, uint32_t thread,
			     const struct uni_gdb_registers *registers);

	/* Non-stop mode, which is not offered where this is NULL: the thread is to stay where it is
	 * while others run, or may go on as uni_gdb_resume_of() says. False: it does not stand
	 * still yet; UNI_GDB_EVENT_HALTED tells when it does, unless another event of it comes
	 * first. */
	bool (*thread_hold)(void *context, uint32_t thread, bool hold);

	/* Adds to those of a hit what the platform reads only when it is asked for, as it takes its
	 * time: the FPU's. Runs on the CPU of the hit. */
	void (*registers_add_fpu)(void *context, struct uni_gdb_registers *registers);

	/* Why there must be no breakpoint in [address, address + len), NULL if there may; one of
	 * more than a byte also where the guest changes its own code. The same for a watchpoint of
	 * data. */
	const char *(*breakpoint_refused)(void *context, uint64_t address, size_t len);
	const char *(*watch_refused)(void *context, uint64_t address, size_t len);

	/* Room for the copy of a breakpoint's instruction, UNI_GDB_TRAMPOLINE_SIZE bytes that
	 * memory_write() takes and a CPU can execute, for each index below UNI_GDB_BREAKPOINTS. 0:
	 * none, and breakpoints with conditions stop always: gdb looks at the condition then.
	 * Behind the last one, in non-stop mode, UNI_GDB_OWN_ROOM bytes for copies that gdb makes.
	 */
	uint64_t (*displaced_room)(void *context, unsigned index);

	/* Where the call of a fast tracepoint leads: the CPU comes into the trap of a breakpoint
	 * there as if that had stood in the call's place. Until it is on the stack of that trap,
	 * whatever comes between, an interrupt or a fault, finds it before the call. NULL: there
	 * are no fast tracepoints. */
	void (*call_entry)(void);

	/* Microseconds from any fixed moment on; they stand still while the guest is stopped. Any
	 * number of CPUs while it runs. */
	uint64_t (*clock_us)(void *context);

	/* Where a thread has the thread-local variable at this offset of the image's; 0: there is
	 * none. NULL: it is not known. */
	uint64_t (*tls_address)(void *context, uint32_t thread, uint64_t offset);

	/* The index-th stretch of addresses that there is anything at, in any order; false behind
	 * the last. gdb asks once and then takes every other address for a bad one. */
	bool (*memory_next)(void *context, unsigned index, struct uni_gdb_memory *memory);

	/* enum uni_gdb_access, or-ed; 0: nothing is mapped there. NULL: `info proc mappings` and
	 * `gcore` do without. */
	unsigned (*memory_access)(void *context, uint64_t address);

	/* What the program is called, for a core that gdb makes; NULL: that is not told. */
	const char *program;

	/* For `monitor cpus`: one line a CPU. */
	void (*describe_cpus)(void *context, struct uni_gdb_text *text);
};

/* Expressions, one behind the other, in struct uni_gdb_expressions; len 0: none. */
struct uni_gdb_list {
	uint32_t at;
	uint32_t len;
};

/* What the target itself does at a breakpoint: stops only if one of the conditions holds, and does
 * not stop where there are commands, but runs them. */
struct uni_gdb_agent {
	struct uni_gdb_list conditions;
	struct uni_gdb_list commands;
};

struct uni_gdb_breakpoint {
	uint64_t address;
	uint8_t len;
	bool stops;	 /* gdb asked for it; else it is there for the stub's own ends */
	bool is_exit;	 /* of the range that a thread steps through */
	bool is_fast;	 /* a call, where that may be */
	uint16_t traced; /* the first tracepoint here, UNI_GDB_TRACE_NONE */
	bool inserted;
	bool passable; /* a CPU can get past it by `displaced` */
	struct uni_gdb_agent agent;
	struct uni_gdb_displaced displaced;
	uint8_t code[UNI_GDB_BREAKPOINT_MAX];
	uint8_t original[UNI_GDB_BREAKPOINT_MAX];
};

/* One Z1 to Z4 as gdb asked for it; its pieces are in the slots that name it. */
struct uni_gdb_watch_slot {
	struct uni_gdb_watch watch; /* kind NONE: free */
	uint64_t asked_address;
	uint64_t asked_len;
	struct uni_gdb_agent agent;
};

/* Checked bytecode, each expression with its length before it. */
struct uni_gdb_expressions {
	uint32_t len;
	uint8_t bytes[UNI_GDB_EXPRESSIONS_SIZE];
};

/* What dprintf printed since the guest last stopped. */
struct uni_gdb_output {
	uint32_t len;
	uint32_t lost; /* texts that found no room */
	char data[UNI_GDB_OUTPUT_SIZE];
};

/* A CPU at a breakpoint. */
struct uni_gdb_hit {
	struct uni_gdb_registers *registers;
	uint32_t thread;
	int cpu;
	bool again; /* a hit that was told already, and after which the CPU has not moved */
};

/* What a packet, or an answer, belongs to, so that `monitor feature` can switch it off: features.c
 * has their names. */
enum uni_gdb_feature {
	UNI_GDB_FEATURE_ALWAYS, /* no gdb can do without */
	UNI_GDB_FEATURE_MULTIPROCESS,
	UNI_GDB_FEATURE_NO_ACK,
	UNI_GDB_FEATURE_VERBOSE_RESUME,
	UNI_GDB_FEATURE_RANGE_STEPPING,
	UNI_GDB_FEATURE_SWBREAK,
	UNI_GDB_FEATURE_HWBREAK,
	UNI_GDB_FEATURE_SOFTWARE_BREAKPOINT,
	UNI_GDB_FEATURE_HARDWARE_BREAKPOINT,
	UNI_GDB_FEATURE_WRITE_WATCHPOINT,
	UNI_GDB_FEATURE_ACCESS_WATCHPOINT,
	UNI_GDB_FEATURE_CONDITIONS,
	UNI_GDB_FEATURE_COMMANDS,
	UNI_GDB_FEATURE_TRACEPOINTS,
	UNI_GDB_FEATURE_FAST_TRACEPOINTS,
	UNI_GDB_FEATURE_TARGET_FEATURES,
	UNI_GDB_FEATURE_THREADS_XML,
	UNI_GDB_FEATURE_MEMORY_MAP,
	UNI_GDB_FEATURE_THREAD_EVENTS,
	UNI_GDB_FEATURE_BRANCHES,
	UNI_GDB_FEATURE_BINARY_DOWNLOAD,
	UNI_GDB_FEATURE_SEARCH_MEMORY,
	UNI_GDB_FEATURE_NON_STOP,
	UNI_GDB_FEATURE_FILES,
	UNI_GDB_FEATURE_NO_RESUMED,
	UNI_GDB_FEATURE_EXEC,
};

/* What `monitor` switches. */
struct uni_gdb_options {
	bool run_length;	 /* encode replies so */
	bool step_masks_irqs;	 /* keep interrupts off while stepping */
	bool stop_on_disconnect; /* gdb goes without a detach: a stopped guest stays so */
	bool kill_on_quit; /* gdb is told that the guest is its own: it kills it when it quits */
	uint32_t features_off; /* a bit for each enum uni_gdb_feature */
};

/* A thread that gdb stopped, or is to hear of, while others run. */
struct uni_gdb_stop {
	struct uni_gdb_event event;
	enum {
		UNI_GDB_STOP_WANTED,  /* gdb asked for it, and the thread does not stand yet */
		UNI_GDB_STOP_QUEUED,  /* to be told */
		UNI_GDB_STOP_SENT,    /* told, and not acknowledged */
		UNI_GDB_STOP_TOLD,    /* gdb may let it go */
		UNI_GDB_STOP_RESUMED, /* by the running command */
	} state;
	bool again; /* let go, it stops at once: gdb asked for that before it knew of this one */
};

/* An XML document or a list that is sent in pieces, rendered once, element by element. */
struct uni_gdb_listing {
	const void *cursor; /* NULL: behind the thread `last` */
	uint32_t last;
	bool ended;
	uint64_t position; /* of the first byte of `element` in the document */
	struct uni_gdb_text element;
	char data[2048];
};

/* The reply to an `m` that gdb is about to send. */
struct uni_gdb_read_ahead {
	uint64_t address;
	size_t len;	  /* 0: none is awaited */
	size_t frame_len; /* not 0: it is ready */
	uint8_t frame[UNI_GDB_PACKET_SIZE + 4];
};

struct uni_gdb {
	const struct uni_gdb_ops *ops;
	void *context;
	uint32_t register_sets;
	struct uni_gdb_options options;

	bool attached;	      /* packets came, and no detach since */
	bool multiprocess;    /* gdb wants threads named with their process */
	bool no_resumed;      /* gdb takes the stop reply `N` */
	bool exec_events;     /* and `exec` in one */
	const char *executed; /* for the next one: uni_gdb_succeed() */
	bool stopped;
	bool stays;	    /* stopped without a gdb, until the next one */
	bool owes_stop;	    /* gdb waits for a stop reply */
	bool thread_events; /* of QThreadEvents */
	/* Ctrl-C came when a stop was on its way to gdb. If gdb goes on without showing that one to
	 * anybody, the interrupt is still wanted. */
	bool interrupted;
	bool kill;
	bool resume;	/* the running command asked for it */
	bool deferred;	/* one before it did, and more words of gdb's came before the guest went */
	bool as_before; /* the last stop was for nothing: who was held stays so, and nobody else */

	bool non_stop;				  /* of QNonStop */
	bool telling;				  /* vStopped comes, or `?`: no %Stop before */
	struct uni_gdb_stop stops[UNI_GDB_STOPS]; /* a thread stands here once */
	unsigned stop_count;

	enum { UNI_GDB_ACKS, UNI_GDB_LAST_ACK, UNI_GDB_NO_ACKS } acks;

	int32_t general_thread;	 /* of Hg */
	uint32_t looked_at;	 /* that one, when gdb let the guest go */
	int32_t continue_thread; /* of Hc */

	struct uni_gdb_event current; /* what `?` answers */
	struct uni_gdb_event pending[UNI_GDB_EVENTS];
	unsigned pending_count;

	/* In non-stop mode one for each thread that steps or got a signal. */
	struct uni_gdb_action actions[UNI_GDB_ACTIONS];
	unsigned action_count;

	/* Those of gdb's come first, and then, while the guest runs, the stub's own. */
	struct uni_gdb_breakpoint breakpoints[UNI_GDB_BREAKPOINTS];
	unsigned breakpoint_count;
	unsigned
		standing_count; /* while the guest runs: with those of a range and of tracepoints */
	unsigned untraced_count; /* of them those up to the first that is there for a tracepoint
				    alone */
	struct uni_gdb_watch_slot watches[UNI_GDB_WATCH_SLOTS];
	struct uni_gdb_expressions expressions;
	struct uni_gdb_output output;
	struct uni_gdb_trace trace;
	struct uni_gdb_range range;
	struct uni_gdb_branches branches;
	struct uni_gdb_call calls[UNI_GDB_CALLS];

	struct uni_gdb_mapped mapped;
	struct uni_gdb_listing threads_xml;
	const void *threads_cursor; /* of qfThreadInfo, qsThreadInfo; NULL: behind threads_last */
	uint32_t threads_last;

	struct uni_gdb_receiver receiver;
	uint8_t input[4096];
	size_t input_at;
	size_t input_len;

	struct uni_gdb_text reply;
	char reply_data[UNI_GDB_PACKET_SIZE + 1];
	size_t reply_bytes; /* not 0: the reply is so many bytes of scratch[] instead */
	struct uni_gdb_unknown reply_unknown[UNI_GDB_UNKNOWN_MAX];
	unsigned reply_unknown_count; /* of these bytes */
	uint8_t scratch[UNI_GDB_PACKET_SIZE / 2];
	uint8_t piece[UNI_GDB_PIECE];
	struct uni_gdb_register_block registers; /* for `g` and for trace frames */
	bool reply_is_ahead;			 /* the reply is the one in read_ahead instead */
	struct uni_gdb_read_ahead read_ahead;
};

/* Keeps the pointers. register_sets: what this boot keeps of the registers that only some
 * processors have (arch.h). Runs until something calls uni_gdb_event(). */
void uni_gdb_init(struct uni_gdb *stub, const struct uni_gdb_ops *ops, void *context,
		  uint32_t register_sets);

/* Where trace frames go; without it there is no room for any. Before anything else, and for good.
 */
void uni_gdb_trace_buffer(struct uni_gdb *stub, void *bytes, uint32_t len);

/* Where the branches of threads are recorded: UNI_GDB_BRANCH_RINGS * UNI_GDB_BRANCH_BLOCKS blocks.
 * Without it none is. */
void uni_gdb_branch_room(struct uni_gdb *stub, struct uni_gdb_branch_block *room);

/* The guest is stopped, or stops with this: lifts the breakpoints and keeps the event for gdb. */
void uni_gdb_event(struct uni_gdb *stub, const struct uni_gdb_event *event);

/* Reads and answers. Only while the guest is stopped. */
enum uni_gdb_verdict uni_gdb_poll(struct uni_gdb *stub);

/* gdb is gone for good as far as the platform can tell: what it set is undone, and the next
 * uni_gdb_poll() resumes. */
void uni_gdb_abandon(struct uni_gdb *stub);

/* What gdb and the stub have agreed on, for the stub of an image that this one starts in its own
 * place (exec), which takes it before anything happens there. gdb still waits for a stop then: with
 * the first that it is told of it hears that `program`, the path of a file, has taken over, and
 * lays its breakpoints anew. 0, which changes nothing: there is no session. */
uint64_t uni_gdb_session(const struct uni_gdb *stub);
void uni_gdb_succeed(struct uni_gdb *stub, uint64_t session, const char *program);

/* A session is going on. */
bool uni_gdb_attached(const struct uni_gdb *stub);

/* What faults at `pc`, or meets a breakpoint instruction there, has returned from a function that a
 * gdb called which is gone: an event with its signal puts the thread back to where it was, and
 * nobody hears of it. */
bool uni_gdb_call_is_over(const struct uni_gdb *stub, uint64_t pc);

/* gdb wrote registers of the thread, and may want them back as they were: it must not go on where
 * it is held. */
bool uni_gdb_call_pends(const struct uni_gdb *stub, uint32_t thread);

/* An event of the thread that gdb has not heard of yet. */
bool uni_gdb_event_pends(const struct uni_gdb *stub, uint32_t thread);

/* gdb wants the events CREATED and ENDED. */
bool uni_gdb_wants_thread_events(const struct uni_gdb *stub);

/* gdb let this thread go, and holds others: it is to hear of the end (GONE). */
bool uni_gdb_wants_end_of(const struct uni_gdb *stub, uint32_t thread);

/* gdb named those that go, and holds all others. Where all threads stop together. */
bool uni_gdb_holds_others(const struct uni_gdb *stub);

/* Whether this input asks for a stop: false for nothing and for mere acknowledgements. */
bool uni_gdb_wants_stop(const void *bytes, size_t len);

/* What a thread is to do after UNI_GDB_RESUME. */
struct uni_gdb_action uni_gdb_resume_of(const struct uni_gdb *stub, uint32_t thread);

/* After one instruction of a thread that is stepping: whether that was the whole step. */
bool uni_gdb_step_done(const struct uni_gdb *stub, uint32_t thread, uint64_t pc);

/* How a thread goes on that is to step, when the guest runs on or it has made a step. */
enum uni_gdb_way uni_gdb_range_way(struct uni_gdb *stub, uint32_t thread, uint64_t pc, uint64_t sp);

/* The thread is on such a way at full speed: at a breakpoint uni_gdb_range_way() tells how it goes
 * on, before anything else about the breakpoint counts. */
static inline bool uni_gdb_range_runs(const struct uni_gdb *stub, uint32_t thread)
{
	return stub->range.runs && thread == stub->range.thread;
}

/* Memory is as the program has it again, until the guest is let go. For a guest that dies; what
 * comes by uni_gdb_event() does it too. */
void uni_gdb_breakpoints_lift(struct uni_gdb *stub);

/* Of the first `count` in stub->breakpoints; count: there is none at the address. */
static inline unsigned uni_gdb_breakpoint_index(const struct uni_gdb *stub, unsigned count,
						uint64_t address)
{
	unsigned i = 0;

	while (i < count && stub->breakpoints[i].address != address)
		i++;
	return i;
}

/* Whether one of the stub's own stands at the address: gdb's breakpoint, a tracepoint, or the end
 * of a step. */
static inline bool uni_gdb_breakpoint_stands(const struct uni_gdb *stub, uint64_t address)
{
	return uni_gdb_breakpoint_index(stub, stub->standing_count, address) < stub->standing_count;
}

/* Whether a software breakpoint of gdb stands at the address. */
bool uni_gdb_breakpoint_at(const struct uni_gdb *stub, uint64_t address);

/* The breakpoint at the address if a hit there may be none that gdb is to hear of, else NULL. It is
 * valid until the stub is polled. */
static inline const struct uni_gdb_breakpoint *
uni_gdb_breakpoint_passable(const struct uni_gdb *stub, uint64_t address)
{
	unsigned i = uni_gdb_breakpoint_index(stub, stub->standing_count, address);

	return i < stub->standing_count && stub->breakpoints[i].passable ? &stub->breakpoints[i]
									 : NULL;
}

/* Collects for tracepoints. Looks at the conditions of a breakpoint, or of a Z1 in a debug
 * register, and runs its commands. True: the guest is to stop. False: the CPU goes on, past a
 * breakpoint by its `displaced`. The caller sees to it that the guest does not stop meanwhile. */
bool uni_gdb_breakpoint_hit(struct uni_gdb *stub, const struct uni_gdb_breakpoint *breakpoint,
			    const struct uni_gdb_hit *hit);
bool uni_gdb_watch_hit(struct uni_gdb *stub, unsigned slot, const struct uni_gdb_hit *hit);

/* There is output of dprintf, which gdb gets as soon as the guest stops: for nothing else, a stop
 * with UNI_GDB_EVENT_ATTENTION is over again when it is sent. Never so in non-stop mode, where gdb
 * takes none but while it waits for `monitor`. */
static inline bool uni_gdb_has_output(const struct uni_gdb *stub)
{
	return !stub->non_stop && __atomic_load_n(&stub->output.len, __ATOMIC_RELAXED) > 0;
}

/* Tracing ended by itself, and its breakpoints still stand: a stop with UNI_GDB_EVENT_ATTENTION
 * lifts them. */
static inline bool uni_gdb_trace_is_over(const struct uni_gdb *stub)
{
	return !__atomic_load_n(&stub->trace.running, __ATOMIC_RELAXED) &&
	       stub->standing_count > stub->untraced_count;
}

/* After a hit that did not stop: the CPU is to make single steps for `while-stepping`, interrupts
 * off, and to tell of each, as long as that is so. */
bool uni_gdb_trace_steps(const struct uni_gdb *stub, unsigned cpu);
bool uni_gdb_trace_stepped(struct uni_gdb *stub, const struct uni_gdb_hit *hit);

/* They cannot be made. */
void uni_gdb_trace_end_steps(struct uni_gdb *stub, unsigned cpu);

/* Some thread is recorded. */
static inline bool uni_gdb_branches_wanted(const struct uni_gdb *stub)
{
	return stub->branches.count;
}

/* A thread that is recorded (branches.h) makes one step after the other while the guest runs: as
 * long as uni_gdb_branch_is_due(), the platform is to tell of each, whatever it is made for. It
 * begins at pc. Where that is not where the step before came to, there is a gap. */
bool uni_gdb_branch_is_due(struct uni_gdb *stub, uint32_t thread);
void uni_gdb_branch_from(struct uni_gdb *stub, uint32_t thread, uint64_t pc);

/* The step is made, and led to pc; or it was given up, the pc being what it was. */
void uni_gdb_branch_to(struct uni_gdb *stub, uint32_t thread, uint64_t pc);

/* Instead of that: the thread will go on to pc, where nothing but its code and jumps lead. */
void uni_gdb_branch_along(struct uni_gdb *stub, uint32_t thread, uint64_t pc);

/* Where the thread is, as far as it was told; 0: it is not recorded. */
uint64_t uni_gdb_branch_pc(struct uni_gdb *stub, uint32_t thread);
