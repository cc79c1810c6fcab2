/* SPDX-License-Identifier: MIT */

#include "kernel/irq.h"

#include "kernel/arch/x86_64/ioapic.h"
#include "kernel/arch/x86_64/lapic.h"
#include "kernel/cpu.h"
#include "kernel/madt.h"
#include "kernel/panic.h"
#include "kernel/spinlock.h"
#include "kernel/thread.h"
#include "tracing/errno.h"

#define VECTOR_COUNT 256
#define GSI_MAX 128
#define ACTION_MAX 64

/* SDM vol. 3, 10.11: a write here is an interrupt for the CPU whose id is in bits 12-19. */
#define MSI_ADDRESS 0xfee00000ull

struct action {
	irq_handler handler;
	void *argument;
	struct action *next; /* on the same vector */
};

/* Actions are only ever added, complete before they are linked: dispatch takes no lock. */
static struct action actions[ACTION_MAX];
static unsigned action_count;
static struct action *vectors[VECTOR_COUNT];
static unsigned next_vector = VECTOR_FIRST;

static struct {
	uint8_t vector; /* 0: not routed */
	enum irq_trigger trigger;
	enum irq_polarity polarity;
} gsis[GSI_MAX];

static struct spinlock irq_lock = SPINLOCK_INIT("irq");
static uint64_t spurious_count;

/* One call at a time goes round; see irq_call_others(). */
static struct {
	uint32_t busy;
	uint32_t left; /* CPUs that have not run it yet */
	void (*fn)(void *argument);
	void *argument;
} call;

void irq_init(void)
{
	lapic_init();
	ioapic_init();
}

void irq_init_cpu(void)
{
	lapic_init_cpu();
}

unsigned irq_gsi_count(void)
{
	return ioapic_gsi_count();
}

unsigned irq_isa_gsi(unsigned isa_irq, enum irq_trigger *trigger, enum irq_polarity *polarity)
{
	const struct madt_isa *isa = &madt_get()->isa[isa_irq % MADT_ISA_COUNT];

	*trigger = isa->level ? IRQ_LEVEL : IRQ_EDGE;
	*polarity = isa->active_low ? IRQ_ACTIVE_LOW : IRQ_ACTIVE_HIGH;
	return isa->gsi;
}

/* Lock held. */
static int add_action(unsigned vector, irq_handler handler, void *argument)
{
	struct action *action;

	if (action_count == ACTION_MAX)
		return -UNI_ENOSPC;
	action = &actions[action_count++];
	*action = (struct action){handler, argument, vectors[vector]};
	__atomic_store_n(&vectors[vector], action, __ATOMIC_RELEASE);
	return 0;
}

/* Lock held. The vector comes into use only if there is room for its handler. */
static int add_vector(irq_handler handler, void *argument, unsigned *vector)
{
	int error;

	if (next_vector >= VECTOR_TIMER)
		return -UNI_ENOSPC;
	error = add_action(next_vector, handler, argument);
	if (error == 0)
		*vector = next_vector++;
	return error;
}

static int route(unsigned gsi, enum irq_trigger trigger, enum irq_polarity polarity,
		 irq_handler handler, void *argument)
{
	unsigned vector;
	int error;

	if (gsis[gsi].vector != 0) {
		if (gsis[gsi].trigger != trigger || gsis[gsi].polarity != polarity)
			return -UNI_EINVAL;
		return add_action(gsis[gsi].vector, handler, argument);
	}
	error = add_vector(handler, argument, &vector);
	if (error != 0)
		return error;
	gsis[gsi].vector = (uint8_t)vector;
	gsis[gsi].trigger = trigger;
	gsis[gsi].polarity = polarity;
	if (!ioapic_route(gsi, (uint8_t)vector, cpus[0].hw_id, trigger == IRQ_LEVEL,
			  polarity == IRQ_ACTIVE_LOW))
		return -UNI_EINVAL;
	return 0;
}

int irq_route_gsi(unsigned gsi, enum irq_trigger trigger, enum irq_polarity polarity,
		  irq_handler handler, void *argument)
{
	uint64_t flags;
	int error;

	if (gsi >= GSI_MAX || gsi >= ioapic_gsi_count())
		return -UNI_EINVAL;
	flags = spin_lock(&irq_lock);
	error = route(gsi, trigger, polarity, handler, argument);
	spin_unlock(&irq_lock, flags);
	return error;
}

int irq_alloc_msi(irq_handler handler, void *argument, uint64_t *address, uint32_t *data)
{
	uint64_t flags = spin_lock(&irq_lock);
	unsigned vector;
	int error = add_vector(handler, argument, &vector);

	spin_unlock(&irq_lock, flags);
	if (error != 0)
		return error;
	*address = MSI_ADDRESS | (uint64_t)cpus[0].hw_id << 12;
	*data = vector; /* edge-triggered, fixed delivery */
	return 0;
}

/* --- between CPUs --- */

void irq_send_reschedule(unsigned cpu)
{
	lapic_send(cpus[cpu].hw_id, VECTOR_RESCHEDULE);
}

void irq_send_nmi(unsigned cpu)
{
	lapic_send_nmi(cpus[cpu].hw_id);
}

void irq_halt(uint64_t deadline_ns)
{
	lapic_halt(deadline_ns);
}

void irq_wake(unsigned cpu)
{
	lapic_send_wake(cpus[cpu].hw_id);
}

void irq_send_nmi_others(void)
{
	unsigned self = cpu_id();

	for (unsigned i = 0; i < CPU_MAX; i++) {
		if (i != self && cpus[i].online)
			irq_send_nmi(i);
	}
}

void irq_call_others(void (*fn)(void *argument), void *argument)
{
	unsigned self;

	KASSERT(irq_enabled());
	/* With interrupts on, so that the call of whoever is first is answered meanwhile. */
	preempt_disable();
	while (__atomic_exchange_n(&call.busy, 1, __ATOMIC_ACQUIRE) != 0)
		cpu_relax();
	self = cpu_id();
	call.fn = fn;
	call.argument = argument;
	__atomic_store_n(&call.left, cpu_count() - 1, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < cpu_count(); i++) {
		if (i != self)
			lapic_send(cpus[i].hw_id, VECTOR_CALL);
	}
	while (__atomic_load_n(&call.left, __ATOMIC_ACQUIRE) != 0)
		cpu_relax();
	__atomic_store_n(&call.busy, 0, __ATOMIC_RELEASE);
	preempt_enable();
}

static void answer_call(void)
{
	call.fn(call.argument);
	__atomic_sub_fetch(&call.left, 1, __ATOMIC_RELEASE);
}

/* --- entry --- */

static void dispatch_device(unsigned vector)
{
	struct action *action = __atomic_load_n(&vectors[vector], __ATOMIC_ACQUIRE);

	if (action == NULL)
		__atomic_add_fetch(&spurious_count, 1, __ATOMIC_RELAXED);
	for (; action != NULL; action = action->next)
		action->handler(action->argument);
}

void irq_dispatch(unsigned vector)
{
	switch (vector) {
	case VECTOR_SPURIOUS:
		/* SDM vol. 3, 10.9: this one must not be acknowledged. */
		__atomic_add_fetch(&spurious_count, 1, __ATOMIC_RELAXED);
		return;
	case VECTOR_TIMER:
		timer_interrupt();
		break;
	case VECTOR_RESCHEDULE:
		thread_reschedule_interrupt();
		break;
	case VECTOR_CALL:
		answer_call();
		break;
	default:
		dispatch_device(vector);
	}
	lapic_end_of_interrupt();
}

uint64_t irq_spurious_count(void)
{
	return __atomic_load_n(&spurious_count, __ATOMIC_RELAXED);
}
