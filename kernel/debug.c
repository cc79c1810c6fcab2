/* SPDX-License-Identifier: MIT */

/* How the guest stops for gdb, and goes on.
 *
 * A CPU enters by a breakpoint, a step, a fault, or because bytes wait at the link. The first one
 * becomes the leader: it holds the others by NMI, on whose frames they stay in wait(), and lets the
 * stub talk. When gdb lets the guest go, the leader says which CPUs stay held and is then one of
 * those that wait; each that is not held leaves by itself, makes its thread step if that is its
 * part, and returns into its frame.
 *
 * A CPU leaves by clearing `inside` and then looking at `stopped` once more; a leader sets
 * `stopped` and then sends NMIs. So either the leaving CPU sees the stop, or the NMI finds it
 * outside.
 *
 * Nothing in here takes a lock or calls what may hold one. What runs before the stub has lifted the
 * breakpoints, or after it has laid them, lies between kernel_stub_text_start and _end, where it
 * allows none. */

#include "kernel/debug.h"

#include "kernel/clock.h"
#include "kernel/cmdline.h"
#include "kernel/debug_internal.h"
#include "kernel/irq.h"
#include "kernel/panic.h"
#include "kernel/shutdown.h"

#define STOP_TIMEOUT_NS NS_PER_S

/* Bytes that stopped the guest and that no session came of. */
#define STRAY_TIMEOUT_NS (2 * NS_PER_S)

/* Steps of a long range between two looks at the link. */
#define LOOK_INTERVAL 256

#define NO_LEADER 0

struct debug_cpu debug_cpus[CPU_MAX];
struct uni_gdb debug_stub;
uint64_t debug_stopped_ns;

static bool ready;
static uint32_t leader; /* the CPU's id + 1 */
static bool stopped;
static uint32_t held; /* a bit for each CPU that stays where it is while others run */

/* What debug_break() is to report, and of which code. */
static struct {
	bool is;
	struct trap_frame *frame; /* NULL: of what called debug_break() */
	enum uni_gdb_event_kind kind;
	enum uni_gdb_signal signal;
} asked[CPU_MAX];

static bool load(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static void store(bool *flag, bool value)
{
	__atomic_store_n(flag, value, __ATOMIC_SEQ_CST);
}

static bool is_in_stack(const struct thread *thread, uintptr_t sp)
{
	return sp >= thread->stack_low && sp <= thread->stack_high;
}

struct thread *debug_owner(unsigned cpu, const struct trap_frame *frame)
{
	uintptr_t sp = debug_arch_frame_sp(frame);
	struct thread *thread = cpus[cpu].thread;

	if (is_in_stack(thread, sp))
		return thread;
	/* In the middle of a switch; or on a stack of the CPU's own, which is no thread's. */
	for (thread = thread_next_stopped(NULL); thread; thread = thread_next_stopped(thread))
		if (is_in_stack(thread, sp))
			return thread;
	return cpus[cpu].thread;
}

int debug_cpu_of(const struct thread *thread)
{
	for (unsigned i = 0; i < CPU_MAX; i++)
		if (debug_cpus[i].frame && debug_cpus[i].thread == thread)
			return (int)i;
	return UNI_GDB_NO_CPU;
}

/* --- the leader --- */

static bool try_lead(void)
{
	uint32_t expected = NO_LEADER;

	return __atomic_compare_exchange_n(&leader, &expected, cpu_id() + 1, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static enum debug_state state_of(unsigned cpu)
{
	return __atomic_load_n(&debug_cpus[cpu].state, __ATOMIC_SEQ_CST);
}

static void set_state(unsigned cpu, enum debug_state state)
{
	__atomic_store_n(&debug_cpus[cpu].state, state, __ATOMIC_SEQ_CST);
}

/* False when it was not in the state `from`. */
static bool change_state(unsigned cpu, enum debug_state from, enum debug_state to)
{
	return __atomic_compare_exchange_n(&debug_cpus[cpu].state, &from, to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* One that a panic has stopped shows the frame it stopped with. */
static bool claim(unsigned cpu)
{
	struct debug_cpu *other = &debug_cpus[cpu];

	if (state_of(cpu) == DEBUG_CLAIMED || change_state(cpu, DEBUG_PARKED, DEBUG_CLAIMED))
		return true;
	if (!cpus[cpu].stopped)
		return false;
	other->frame = cpus[cpu].frame;
	other->thread = debug_owner(cpu, other->frame);
	return true;
}

static bool claim_all(void)
{
	bool all = true;

	for (unsigned i = 0; i < CPU_MAX; i++)
		if (cpus[i].online && !claim(i))
			all = false;
	return all;
}

static void hold_others(unsigned self)
{
	uint64_t end_ns = clock_deadline(STOP_TIMEOUT_NS);

	for (unsigned i = 0; i < CPU_MAX; i++) {
		if (i == self || !cpus[i].online || claim(i))
			continue;
		store(&debug_cpus[i].nmi_sent, true);
		irq_send_nmi(i);
	}
	while (!claim_all() && clock_ns() < end_ns)
		cpu_relax();
}

/* Those that hit something while they were being held have news of their own. */
static void tell_events(void)
{
	for (unsigned i = 0; i < CPU_MAX; i++) {
		struct debug_cpu *cpu = &debug_cpus[i];

		if (state_of(i) != DEBUG_CLAIMED || !cpu->has_event || cpu->told)
			continue;
		cpu->told = true;
		uni_gdb_event(&debug_stub, &cpu->event);
	}
}

static void talk(void)
{
	uint64_t stray_ns = clock_deadline(STRAY_TIMEOUT_NS);
	enum uni_gdb_verdict verdict;

	while ((verdict = uni_gdb_poll(&debug_stub)) == UNI_GDB_STAY) {
		claim_all();
		tell_events();
		if (debug_stub.current.kind == UNI_GDB_EVENT_ATTENTION &&
		    !uni_gdb_attached(&debug_stub) && clock_ns() > stray_ns)
			uni_gdb_abandon(&debug_stub);
		cpu_relax();
	}
	if (verdict == UNI_GDB_KILL)
		shutdown();
}

static void send_off_steppers(void)
{
	for (unsigned i = 0; i < debug_stub.action_count; i++) {
		const struct uni_gdb_action *action = &debug_stub.actions[i];
		struct thread *thread;

		if (action->kind != UNI_GDB_STEP || action->thread <= 0)
			continue;
		thread = thread_by_id_stopped((uint32_t)action->thread);
		if (thread && debug_cpu_of(thread) == UNI_GDB_NO_CPU)
			debug_step_send(thread);
	}
}

static uint32_t choose_held(void)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < CPU_MAX; i++) {
		const struct debug_cpu *cpu = &debug_cpus[i];

		if (state_of(i) == DEBUG_CLAIMED &&
		    uni_gdb_resume_of(&debug_stub, cpu->thread->id).kind == UNI_GDB_HOLD)
			mask |= 1u << i;
	}
	return mask;
}

static void lead(unsigned self)
{
	store(&stopped, true);
	set_state(self, DEBUG_CLAIMED);
	hold_others(self);
	debug_stopped_ns = clock_ns();
	/* Its own first: gdb is told of it first. */
	debug_cpus[self].told = true;
	uni_gdb_event(&debug_stub, &debug_cpus[self].event);
	tell_events();
	debug_step_recall();
	talk();
	send_off_steppers();
	__atomic_store_n(&held, choose_held(), __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < CPU_MAX; i++)
		change_state(i, DEBUG_CLAIMED, DEBUG_PARKED);
	__atomic_store_n(&leader, NO_LEADER, __ATOMIC_SEQ_CST);
	store(&stopped, false);
}

/* --- every CPU --- */

static bool is_told_to_stay(unsigned self)
{
	return load(&stopped) || __atomic_load_n(&held, __ATOMIC_SEQ_CST) >> self & 1;
}

/* Returns when this CPU may go, and its state is DEBUG_OUT. */
static void wait(unsigned self)
{
	struct debug_cpu *cpu = &debug_cpus[self];

	for (;; cpu_relax()) {
		if (cpu->has_event && !cpu->told) {
			if (try_lead())
				lead(self);
		} else if (!is_told_to_stay(self) && change_state(self, DEBUG_PARKED, DEBUG_OUT)) {
			return;
		}
	}
}

/* Makes the thread do its part. False when that is done already, and the CPU has news instead. */
static bool set_off(struct debug_cpu *cpu)
{
	struct uni_gdb_action action = uni_gdb_resume_of(&debug_stub, cpu->thread->id);

	if (cpu->event.kind == UNI_GDB_EVENT_WATCH && cpu->has_event)
		debug_arch_pass(cpu->frame);
	cpu->has_event = false;
	if (action.kind != UNI_GDB_STEP || debug_step_begin(cpu->thread, cpu->frame))
		return true;
	cpu->event = (struct uni_gdb_event){
		.kind = UNI_GDB_EVENT_STEP,
		.signal = UNI_GDB_SIGTRAP,
		.thread = cpu->thread->id,
	};
	cpu->told = false;
	cpu->has_event = true;
	return false;
}

/* Stops here and comes back when gdb lets this CPU go; `event` may be NULL. Returns the signal that
 * gdb passes on to the thread. */
static uint8_t stop(struct trap_frame *frame, const struct uni_gdb_event *event)
{
	unsigned self = cpu_id();
	struct debug_cpu *cpu = &debug_cpus[self];
	uint8_t signal;

	store(&cpu->inside, true);
	debug_arch_hold(&cpu->extra);
	cpu->thread = debug_owner(self, frame);
	debug_step_end(cpu->thread, frame);
	if (debug_arch_frame_pc(frame) == (uintptr_t)debug_landing)
		debug_step_landed(cpu->thread, frame);
	cpu->told = false;
	cpu->has_event = event;
	if (event) {
		cpu->event = *event;
		cpu->event.thread = cpu->thread->id;
	}
	for (;;) {
		cpu->frame = frame;
		set_state(self, DEBUG_PARKED);
		wait(self);
		signal = uni_gdb_resume_of(&debug_stub, cpu->thread->id).signal;
		if (!set_off(cpu))
			continue;
		cpu->frame = NULL;
		debug_arch_release(&cpu->extra, debug_stub.watches);
		store(&cpu->inside, false);
		if (!load(&stopped))
			return signal;
		store(&cpu->inside, true);
		debug_arch_hold(&cpu->extra);
		debug_step_end(cpu->thread, frame);
	}
}

static void stop_for(struct trap_frame *frame, enum uni_gdb_event_kind kind,
		     enum uni_gdb_signal signal)
{
	stop(frame, &(struct uni_gdb_event){.kind = kind, .signal = signal});
}

/* Enters through a breakpoint of ours, so that the stub runs on the stack of that trap; gdb sees
 * `frame`. */
static void break_in(struct trap_frame *frame, enum uni_gdb_event_kind kind,
		     enum uni_gdb_signal signal)
{
	unsigned self = cpu_id();

	asked[self].kind = kind;
	asked[self].signal = signal;
	asked[self].frame = frame;
	asked[self].is = true;
	debug_break();
}

/* --- traps --- */

/* A step inside the range that gdb gave goes on without a word. */
static bool goes_on(struct thread *thread, struct trap_frame *frame)
{
	static unsigned count;

	if (uni_gdb_step_done(&debug_stub, thread->id, debug_arch_frame_pc(frame)) ||
	    load(&stopped))
		return false;
	if (++count % LOOK_INTERVAL == 0 && debug_link_wants_stop())
		return false;
	return debug_step_begin(thread, frame);
}

/* One instruction was made: the thread stops, or makes the next one. */
static void finish_step(struct trap_frame *frame)
{
	if (!goes_on(debug_owner(cpu_id(), frame), frame))
		stop_for(frame, UNI_GDB_EVENT_STEP, UNI_GDB_SIGTRAP);
}

static bool trap_breakpoint(struct trap_frame *frame)
{
	uintptr_t pc = debug_arch_breakpoint_pc(debug_arch_frame_pc(frame));
	unsigned self = cpu_id();

	if (pc == (uintptr_t)debug_break_instruction && asked[self].is) {
		asked[self].is = false;
		stop_for(asked[self].frame ? asked[self].frame : frame, asked[self].kind,
			 asked[self].signal);
		return true;
	}
	if (pc == (uintptr_t)debug_landing) {
		if (!debug_step_landed(debug_owner(self, frame), frame))
			return false;
		finish_step(frame);
		return true;
	}
	if (uni_gdb_breakpoint_at(&debug_stub, pc)) {
		debug_arch_set_frame_pc(frame, pc);
		stop(frame, &(struct uni_gdb_event){
				    .kind = UNI_GDB_EVENT_BREAKPOINT,
				    .signal = UNI_GDB_SIGTRAP,
				    .address = pc,
			    });
		return true;
	}
	if (!debug_arch_is_breakpoint(pc)) {
		/* It was there when the CPU met it, and is gone. */
		debug_arch_set_frame_pc(frame, pc);
		return true;
	}
	if (!uni_gdb_attached(&debug_stub))
		return false;
	stop_for(frame, UNI_GDB_EVENT_SIGNAL, UNI_GDB_SIGTRAP);
	return true;
}

static bool trap_debug(struct trap_frame *frame)
{
	struct debug_cause cause = debug_arch_cause();
	bool stepped = debug_step_end(debug_owner(cpu_id(), frame), frame);

	if (cause.slot >= 0 && debug_stub.watches[cause.slot].watch.kind != UNI_GDB_WATCH_NONE) {
		stop(frame, &(struct uni_gdb_event){
				    .kind = UNI_GDB_EVENT_WATCH,
				    .signal = UNI_GDB_SIGTRAP,
				    .slot = (unsigned)cause.slot,
			    });
		return true;
	}
	if (stepped)
		finish_step(frame);
	else if (uni_gdb_attached(&debug_stub))
		stop_for(frame, UNI_GDB_EVENT_STEP, UNI_GDB_SIGTRAP);
	else
		return cause.slot >= 0;
	return true;
}

bool debug_trap(struct trap_frame *frame, unsigned vector)
{
	if (!ready || load(&debug_cpus[cpu_id()].inside))
		return false;
	if (vector == TRAP_BP)
		return trap_breakpoint(frame);
	if (vector == TRAP_DB)
		return trap_debug(frame);
	if (!uni_gdb_attached(&debug_stub))
		return false;
	/* gdb passes the signal on, and the fault ends the guest; or it does not, and the
	 * instruction is tried again. */
	return stop(frame, &(struct uni_gdb_event){
				   .kind = UNI_GDB_EVENT_SIGNAL,
				   .signal = debug_arch_signal(vector),
			   }) == UNI_GDB_SIGNAL_NONE;
}

bool debug_nmi(struct trap_frame *frame)
{
	struct debug_cpu *cpu = &debug_cpus[cpu_id()];
	bool ours = __atomic_exchange_n(&cpu->nmi_sent, false, __ATOMIC_SEQ_CST);

	if (!ready)
		return false;
	if (load(&cpu->inside))
		return ours;
	if (load(&stopped)) {
		stop(frame, NULL);
		return true;
	}
	if (!debug_link_wants_stop())
		return ours;
	stop_for(frame, UNI_GDB_EVENT_ATTENTION, UNI_GDB_SIGTRAP);
	return true;
}

/* Interrupt context: gdb sees the code that the interrupt came into. */
static void attention(void)
{
	struct trap_frame *frame = cpu_current()->frame;

	if (frame && debug_link_wants_stop())
		break_in(frame, UNI_GDB_EVENT_ATTENTION, UNI_GDB_SIGTRAP);
}

void debug_panic(struct trap_frame *frame)
{
	if (ready && uni_gdb_attached(&debug_stub) && !load(&debug_cpus[cpu_id()].inside))
		break_in(frame, UNI_GDB_EVENT_SIGNAL, UNI_GDB_SIGABRT);
}

static bool waited;

/* As early as there is something to wait at: a UART before the other CPUs start, a port when it has
 * been found. */
static void wait_for_gdb(void)
{
	if (waited || !cmdline_has("gdbwait") || !debug_link_exists())
		return;
	waited = true;
	break_in(NULL, UNI_GDB_EVENT_SIGNAL, UNI_GDB_SIGTRAP);
}

void debug_init_early(void)
{
	uni_gdb_init(&debug_stub, &debug_ops, NULL);
	debug_link_init_early();
	ready = true;
	wait_for_gdb();
}

void debug_init(void)
{
	debug_link_init(attention);
	wait_for_gdb();
}
