/* SPDX-License-Identifier: MIT */

/* How the guest stops for gdb, and goes on.
 *
 * A CPU enters by a breakpoint, a step, a fault, or because bytes wait at the link. The first one
 * becomes the leader: it holds the others by NMI, on whose frames they stay in wait(), and lets the
 * stub talk. One that is in an interrupt handler comes at the end of that, if it ends soon. When
 * gdb lets the guest go, the leader says which CPUs stay held and is then one of those that wait;
 * each that is not held leaves by itself, makes its thread step if that is its part, and returns
 * into its frame.
 *
 * With threads that are stopped one by one (non-stop mode) that is over as soon as the stub has
 * nothing more to do; debug_aside.c has what happens to the threads. CPUs that stay while others
 * run cannot look at the link, whose code may have breakpoints: one of them stops the others for
 * that every now and then.
 *
 * A CPU leaves by clearing `inside` and then looking at `debug_stopping` once more; a leader sets
 * `debug_stopping` and then sends NMIs. So either the leaving CPU sees the stop, or the NMI finds
 * it outside.
 *
 * Nothing in here takes a lock or calls what may hold one. What runs before the stub has lifted the
 * breakpoints, or after it has laid them, lies between kernel_stub_text_start and _end, where it
 * allows none. */

#include "kernel/clock.h"
#include "kernel/debug_internal.h"
#include "kernel/irq.h"
#include "kernel/run_queue.h"
#include "kernel/shutdown.h"

#define STOP_TIMEOUT_NS NS_PER_S

/* What an interrupt handler that the stop came into gets to end: on a busy host its CPU may not run
 * for a while. */
#define HANDLER_NS (20 * NS_PER_MS)

/* Bytes that stopped the guest and that no session came of. */
#define STRAY_TIMEOUT_NS (2 * NS_PER_S)

/* While gdb is silent the link is looked at for its next words every now and then: at once at
 * first, later after naps of a part of the silence, so that answers are late by that part of it at
 * most. What stops the guest for it naps LOOK_NS at least. */
#define SPIN_NS (2 * NS_PER_MS)
#define NAP_PART 8
#define NAP_MAX_NS (20 * NS_PER_MS)
#define LOOK_NS NS_PER_MS

/* What a thread that gdb wants stopped gets to come to where it can be set aside, and how often: on
 * a busy host its CPU may not run for a while. */
#define COME_NS (250 * NS_PER_MS)
#define COME_TRIES 3

/* What those that were halted get to leave before one of them, and the start that they get then. */
#define GO_NS (100 * NS_PER_MS)
#define START_NS (100 * NS_PER_US)

/* CPUs that are held halt after this. */
#define HELD_SPINS 100

#define NO_LEADER 0

struct debug_cpu debug_cpus[CPU_MAX];
struct uni_gdb debug_stub;
uint64_t debug_stopped_ns;
bool debug_stopping;

static uint32_t leader; /* the CPU's id + 1 */
static bool patient;	/* the leader still waits for interrupt handlers to end */
static uint32_t latest; /* the CPU of the breakpoint that gdb heard of last, its id + 1 */
static uint32_t held;	/* a bit for each CPU that stays where it is while others run */
static uint64_t look_due_ns[CPU_MAX]; /* of one that looks at the link for all; 0: none yet */

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

bool debug_is_on_stack(const struct thread *thread, const struct trap_frame *frame)
{
	return is_in_stack(thread, debug_arch_frame_sp(frame));
}

struct thread *debug_owner(unsigned cpu, const struct trap_frame *frame)
{
	uintptr_t sp = debug_arch_frame_sp(frame);
	struct thread *thread = cpus[cpu].thread;

	if (is_in_stack(thread, sp))
		return thread;
	thread = debug_aside_owner(sp);
	if (thread)
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

bool debug_is_gone(const struct thread *thread)
{
	int cpu;

	if (thread->state != THREAD_EXITED)
		return false;
	cpu = debug_cpu_of(thread);
	return cpu < 0 ||
	       (debug_cpus[cpu].has_event && debug_cpus[cpu].event.kind == UNI_GDB_EVENT_GONE);
}

bool debug_lets_handlers_end(void)
{
	return load(&patient);
}

/* --- the leader --- */

static bool try_lead(void)
{
	uint32_t expected = NO_LEADER;

	return __atomic_compare_exchange_n(&leader, &expected, cpu_id() + 1, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void give_up_lead(void)
{
	__atomic_store_n(&leader, NO_LEADER, __ATOMIC_SEQ_CST);
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

/* To those that are not held yet; true when there is none. */
static bool send_nmis(unsigned self)
{
	bool all = true;

	for (unsigned i = 0; i < CPU_MAX; i++) {
		if (i == self || !cpus[i].online || claim(i))
			continue;
		store(&debug_cpus[i].nmi_sent, true);
		irq_send_nmi(i);
		all = false;
	}
	return all;
}

static void await_others(uint64_t end_ns)
{
	while (!claim_all() && clock_ns() < end_ns)
		cpu_relax();
}

static void hold_others(unsigned self)
{
	store(&patient, true);
	if (!send_nmis(self))
		await_others(clock_deadline(HANDLER_NS));
	store(&patient, false);
	if (!send_nmis(self))
		await_others(clock_deadline(STOP_TIMEOUT_NS));
}

static bool has_untold(const struct debug_cpu *cpu)
{
	return cpu->has_event && !cpu->told;
}

/* Those that hit something while they were being held have news of their own. */
static void tell_events(void)
{
	for (unsigned i = 0; i < CPU_MAX; i++) {
		struct debug_cpu *cpu = &debug_cpus[i];

		if (state_of(i) != DEBUG_CLAIMED || !has_untold(cpu))
			continue;
		cpu->told = true;
		uni_gdb_event(&debug_stub, &cpu->event);
	}
}

static uint64_t nap_end_ns(uint64_t since_ns)
{
	uint64_t now_ns = clock_ns();
	uint64_t nap_ns = (now_ns - since_ns) / NAP_PART;

	return now_ns + (nap_ns < NAP_MAX_NS ? nap_ns : NAP_MAX_NS);
}

static void nap(void)
{
	uint64_t heard_ns = debug_link_heard_ns();
	uint64_t since_ns = heard_ns > debug_stopped_ns ? heard_ns : debug_stopped_ns;

	/* No pause: QEMU without KVM takes its big lock for each, which whoever brings gdb's words
	 * needs. */
	if (clock_ns() - since_ns >= SPIN_NS)
		irq_halt(nap_end_ns(since_ns));
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
		nap();
	}
	if (verdict == UNI_GDB_KILL)
		shutdown();
}

/* NULL: nothing happened, but the link is to be looked at. */
static void hold_world(unsigned self, const struct uni_gdb_event *event)
{
	struct uni_gdb_event look = {
		.kind = UNI_GDB_EVENT_ATTENTION,
		.signal = UNI_GDB_SIGTRAP,
		.thread = debug_cpus[self].thread->id,
	};

	store(&debug_stopping, true);
	hold_others(self);
	debug_stopped_ns = clock_ns();
	/* Its own first: gdb is told of it first. */
	uni_gdb_event(&debug_stub, event ? event : &look);
	tell_events();
	debug_step_recall();
}

static uint32_t choose_held(uint32_t awaited)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < CPU_MAX; i++)
		if (state_of(i) == DEBUG_CLAIMED && !(awaited >> i & 1) && debug_aside_keeps(i))
			mask |= 1u << i;
	return mask;
}

static bool are_all(uint32_t mask)
{
	for (unsigned i = 0; i < CPU_MAX; i++)
		if (cpus[i].online && !(mask >> i & 1))
			return false;
	return true;
}

/* Of those that are held it looks at the link for all. Where they are for a step that is made soon,
 * or looks itself: debug_finish_step(). */
static bool is_lookout(unsigned cpu)
{
	uint32_t mask = __atomic_load_n(&held, __ATOMIC_SEQ_CST);

	return mask && (unsigned)__builtin_ctz(mask) == cpu &&
	       (debug_stub.non_stop || debug_aside_cpus_go() ||
		debug_stub.actions[0].kind != UNI_GDB_STEP || are_all(mask));
}

/* With threads that stop one by one the stub forgets what it was to pass on as soon as the guest
 * stops again, which may be before the CPU has gone. */
static void pass_signals(void)
{
	for (unsigned i = 0; i < CPU_MAX; i++) {
		struct debug_cpu *cpu = &debug_cpus[i];
		uint8_t signal = 0;

		if (state_of(i) == DEBUG_CLAIMED)
			signal = uni_gdb_resume_of(&debug_stub, cpu->thread->id).signal;
		if (signal)
			cpu->signal = signal;
	}
}

/* Of several CPUs that met a breakpoint gdb hears of one. */
static void note_latest(void)
{
	const struct uni_gdb_event *heard = &debug_stub.current;

	if (heard->kind != UNI_GDB_EVENT_BREAKPOINT && heard->kind != UNI_GDB_EVENT_WATCH)
		return;
	for (unsigned i = 0; i < CPU_MAX; i++)
		if (state_of(i) == DEBUG_CLAIMED && debug_cpus[i].thread->id == heard->thread)
			__atomic_store_n(&latest, i + 1, __ATOMIC_SEQ_CST);
}

/* All but the leader, which waits for more, or is among those that go or stay behind this. */
static void free_world(unsigned self, uint32_t awaited)
{
	if (!debug_stub.as_before)
		debug_call_place();
	debug_step_send_all();
	if (!debug_stub.as_before) {
		note_latest();
		pass_signals();
		debug_aside_freeze();
	}
	if (!debug_stub.as_before || debug_aside_cpus_go())
		__atomic_store_n(&held, choose_held(awaited), __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < CPU_MAX; i++)
		if (i != self)
			change_state(i, DEBUG_CLAIMED, DEBUG_PARKED);
}

/* Wakes those that are to go, or to look. */
static void wake(void)
{
	uint32_t mask = __atomic_load_n(&held, __ATOMIC_SEQ_CST);

	store(&debug_stopping, false);
	for (unsigned i = 0; i < CPU_MAX; i++)
		if ((!(mask >> i & 1) || is_lookout(i)) && load(&debug_cpus[i].asleep))
			irq_wake(i);
	if (!debug_aside_has_thawed() && !debug_aside_cpus_go())
		return;
	/* Whoever takes interrupts first sees to it. */
	for (unsigned i = 0; i < CPU_MAX; i++)
		if (cpus[i].online)
			irq_send_reschedule(i);
}

static uint32_t departures_of(unsigned cpu)
{
	return __atomic_load_n(&debug_cpus[cpu].departures, __ATOMIC_SEQ_CST);
}

/* What a CPU was before it was let go. */
struct before {
	struct thread *thread;
	uint32_t departures;
};

/* Those that are awaited went, and stand here again or have another thread. */
static bool have_come(uint32_t awaited, const struct before before[CPU_MAX])
{
	for (unsigned i = 0; i < CPU_MAX; i++) {
		if (!(awaited >> i & 1))
			continue;
		if (departures_of(i) == before[i].departures ||
		    (state_of(i) != DEBUG_PARKED && cpus[i].thread == before[i].thread))
			return false;
	}
	return true;
}

/* Lets the guest run on until the threads that gdb wants stopped are where they can be. */
static void let_come(unsigned self, uint32_t awaited)
{
	uint64_t end_ns = clock_deadline(COME_NS);
	struct before before[CPU_MAX];

	for (unsigned i = 0; i < CPU_MAX; i++)
		before[i] = (struct before){cpus[i].thread, departures_of(i)};
	free_world(self, awaited);
	wake();
	for (unsigned i = 0; i < CPU_MAX; i++)
		if (awaited >> i & 1)
			irq_send_reschedule(i);
	while (!have_come(awaited, before) && clock_ns() < end_ns)
		cpu_relax();
}

/* Those that do not get there are stopped where they are. */
static void stop_threads(unsigned self)
{
	for (unsigned tries = 0; debug_aside_is_awaited(); tries++) {
		uint32_t awaited = debug_aside_awaited_cpus() & ~(1u << self);

		if (awaited)
			let_come(self, awaited);
		hold_world(self, NULL);
		debug_aside_arrive(tries >= COME_TRIES || !awaited);
		talk();
	}
}

static void lead(unsigned self, const struct uni_gdb_event *event)
{
	set_state(self, DEBUG_CLAIMED);
	hold_world(self, event);
	talk();
	stop_threads(self);
	free_world(self, 0);
	/* Before there can be another leader, who stops the world. */
	wake();
	change_state(self, DEBUG_CLAIMED, DEBUG_PARKED);
	give_up_lead();
}

/* --- every CPU --- */

static bool is_told_to_stay(unsigned self)
{
	return load(&debug_stopping) || __atomic_load_n(&held, __ATOMIC_SEQ_CST) >> self & 1;
}

/* Not put off by a sleep that ends early: the timer may be fast, and others wake this CPU. */
static uint64_t next_look_ns(uint64_t due_ns)
{
	uint64_t end_ns = nap_end_ns(debug_link_heard_ns());

	if (end_ns < clock_deadline(LOOK_NS))
		end_ns = clock_deadline(LOOK_NS);
	return due_ns && due_ns < end_ns ? due_ns : end_ns;
}

/* A leader changes what is_told_to_stay() tells and then looks who is asleep: either it sees this
 * CPU, or this CPU sees the change. */
static void sleep_while_told(unsigned self)
{
	uint64_t end_ns = CLOCK_NEVER;

	store(&debug_cpus[self].asleep, true);
	if (is_lookout(self))
		end_ns = look_due_ns[self] = next_look_ns(look_due_ns[self]);
	if (is_told_to_stay(self))
		irq_halt(end_ns);
	store(&debug_cpus[self].asleep, false);
	if (clock_ns() < end_ns)
		return;
	look_due_ns[self] = 0;
	if (!load(&debug_stopping) && try_lead())
		lead(self, NULL);
}

/* Those that are not held and have not left yet, of the others; 0 too where there are none. */
static uint32_t parked_others(unsigned self)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < CPU_MAX; i++)
		if (i != self && state_of(i) == DEBUG_PARKED)
			mask |= 1u << i;
	return mask & ~__atomic_load_n(&held, __ATOMIC_SEQ_CST);
}

/* Who told gdb of a breakpoint goes last. Else its thread would be at the next one before those
 * whose CPUs were halted are on their way, and of several that meet one the same would be told each
 * time. */
static void go_last(unsigned self)
{
	uint64_t end_ns = clock_deadline(GO_NS);

	if (__atomic_load_n(&latest, __ATOMIC_SEQ_CST) != self + 1 || !parked_others(self))
		return;
	while (parked_others(self) && !load(&debug_stopping) && clock_ns() < end_ns)
		cpu_relax();
	end_ns = clock_deadline(START_NS);
	while (!load(&debug_stopping) && clock_ns() < end_ns)
		cpu_relax();
}

/* Another leader may have come and gone between a look at this CPU's news and the lead. */
static void lead_with_news(unsigned self)
{
	struct debug_cpu *cpu = &debug_cpus[self];

	if (!try_lead())
		return;
	if (!has_untold(cpu)) {
		give_up_lead();
		return;
	}
	cpu->told = true;
	lead(self, &cpu->event);
}

/* The same may have happened between a look at whether this CPU may go and its leave. From that on
 * none changes what it is told without it. */
static bool leave(unsigned self)
{
	if (is_told_to_stay(self) || !change_state(self, DEBUG_PARKED, DEBUG_OUT))
		return false;
	if (is_told_to_stay(self)) {
		set_state(self, DEBUG_PARKED);
		return false;
	}
	__atomic_fetch_add(&debug_cpus[self].departures, 1, __ATOMIC_SEQ_CST);
	return true;
}

/* Returns when this CPU may go, and its state is DEBUG_OUT. */
static void wait(unsigned self)
{
	struct debug_cpu *cpu = &debug_cpus[self];

	for (unsigned spins = 0;; spins++) {
		if (has_untold(cpu)) {
			lead_with_news(self);
		} else if (!is_told_to_stay(self)) {
			go_last(self);
			if (leave(self))
				return;
		} else if (spins > HELD_SPINS) {
			sleep_while_told(self);
			spins = 0;
		}
		cpu_relax();
	}
}

/* gdb may write an int3 itself, and take it out again before it hears of every CPU that met it. */
static void mend_breakpoint(const struct debug_cpu *cpu)
{
	uintptr_t pc = cpu->event.address;

	if (cpu->has_event && cpu->event.kind == UNI_GDB_EVENT_SIGNAL && pc &&
	    debug_arch_breakpoint_pc(debug_arch_frame_pc(cpu->frame)) == pc &&
	    !debug_arch_is_breakpoint(pc))
		debug_arch_set_frame_pc(cpu->frame, pc);
}

/* Its thread gives way to those that wait for the CPU. No time passes for the guest between two
 * stops: the slice of one that is at a breakpoint again and again would hardly end. */
static void give_way(unsigned self)
{
	uint32_t ready = run_queue_of(self)->ready_mask >> cpus[self].thread->priority;

	if (debug_stub.non_stop || !ready || __atomic_load_n(&latest, __ATOMIC_SEQ_CST) != self + 1)
		return;
	cpus[self].need_resched = 1;
	irq_send_reschedule(self);
}

/* Makes the thread do its part. False when that is done already, and the CPU has news instead. */
static bool set_off(struct debug_cpu *cpu)
{
	struct uni_gdb_action action = uni_gdb_resume_of(&debug_stub, cpu->thread->id);

	if (cpu->event.kind == UNI_GDB_EVENT_WATCH && cpu->has_event)
		debug_arch_pass(cpu->frame);
	mend_breakpoint(cpu);
	cpu->has_event = false;
	if (action.kind != UNI_GDB_STEP) {
		give_way(cpu_id());
		debug_record_begin(cpu->frame);
		return true;
	}
	/* A thread that is on its way back steps when it is there. */
	if (debug_aside_owner(debug_arch_frame_sp(cpu->frame)) ||
	    debug_step_begin(cpu->thread, cpu->frame))
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

/* It does nothing of its part while it is held. */
static void take_back(struct debug_cpu *cpu, struct trap_frame *frame)
{
	debug_step_end(cpu->thread, frame, false);
	debug_record_end(frame, debug_arch_frame_pc(frame), false);
}

/* The CPU may go on without its thread, which is then where any thread may be preempted. */
static bool is_settable(unsigned self, const struct trap_frame *frame)
{
	const struct thread *thread = debug_cpus[self].thread;

	return debug_arch_can_yield(frame) && preempt_count() == 0 && cpus[self].irq_depth == 0 &&
	       thread == cpus[self].thread && thread != cpus[self].idle &&
	       thread->state == THREAD_RUNNING && is_in_stack(thread, debug_arch_frame_sp(frame));
}

uint8_t debug_stop(struct trap_frame *frame, const struct uni_gdb_event *event)
{
	unsigned self = cpu_id();
	struct debug_cpu *cpu = &debug_cpus[self];
	uint8_t signal;

	store(&cpu->inside, true);
	cpu->thread = debug_owner(self, frame);
	take_back(cpu, frame);
	debug_arch_hold(&cpu->extra);
	if (debug_arch_frame_pc(frame) == (uintptr_t)debug_landing)
		debug_step_landed(cpu->thread, frame);
	cpu->settable = is_settable(self, frame);
	cpus[self].debug_due = 0;
	cpu->attention = false;
	cpu->signal = UNI_GDB_SIGNAL_NONE;
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
		if (!set_off(cpu))
			continue;
		signal = cpu->signal;
		cpu->frame = NULL;
		debug_arch_release();
		debug_watch_set();
		store(&cpu->inside, false);
		if (!load(&debug_stopping))
			return signal;
		store(&cpu->inside, true);
		take_back(cpu, frame);
		debug_arch_hold(&cpu->extra);
	}
}
