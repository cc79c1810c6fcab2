/* SPDX-License-Identifier: MIT */

/* A crash that the host asks for. It knows that the guest is silent, not why: the guest finds out
 * which CPU is to blame, so that the dump's first thread is the culprit.
 *
 * The host writes a UNI_FRAME_CRASH and injects an NMI, which reaches every CPU. The first to find
 * the frame among the unread bytes of the probe's port makes it known to all. Each says what it was
 * doing and waits for the others, RENDEZVOUS_NS at the most; then each comes to the same verdict
 * and the one that is chosen panics, in the name of the code that the NMI interrupted:
 *
 *   1. a thread that had interrupts off: nobody keeps them off for longer than microseconds but the
 *      one that never turns them on again;
 *   2. another thread;
 *   3. an idle CPU, or the one that runs the probe.
 *
 * Among equals the thread that has been running for longest, as a spinner is never switched from;
 * with interrupts off the one whose CPU has taken none for longest, as it takes none any more,
 * while one that was caught inside a handler has just taken one. */

#include "kernel/arch/x86_64/stopped_thread.h"
#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/irq.h"
#include "kernel/probe.h"
#include "kernel/probe_internal.h"
#include "kernel/thread.h"

/* Long, as a hypervisor may have to run the vCPUs one after the other. */
#define RENDEZVOUS_NS (200 * NS_PER_MS)

/* What probe_crash() gives the NMIs. */
#define CRASH_NS (1 * NS_PER_S)

/* Bytes of the port that are searched, in pieces. */
#define SEARCH_MAX 65536
#define SEARCH_PIECE 256

enum blame { BLAME_NONE, BLAME_IDLE, BLAME_THREAD, BLAME_IRQS_OFF };

static struct testimony {
	enum blame blame; /* written last */
	uint64_t since_ns;
} testimonies[CPU_MAX];

static uint32_t wanted_kind; /* enum uni_panic_kind; 0: no crash was asked for */

/* The kind in a crash frame at `bytes`, 0 if there is none. Bytes are looked at one by one: the
 * probe's thread may have read a part of the frame before it. */
static uint32_t crash_at(const uint8_t *bytes, size_t len)
{
	struct uni_frame header;
	struct uni_crash_request request;

	if (len < sizeof(header) + sizeof(request))
		return 0;
	__builtin_memcpy(&header, bytes, sizeof(header));
	__builtin_memcpy(&request, bytes + sizeof(header), sizeof(request));
	if (header.magic != UNI_FRAME_MAGIC || header.type != UNI_FRAME_CRASH ||
	    header.length < sizeof(request))
		return 0;
	return request.kind == UNI_PANIC_REQUEST ? UNI_PANIC_REQUEST : UNI_PANIC_HANG;
}

static uint32_t find_crash_frame(void)
{
	const size_t frame_len = sizeof(struct uni_frame) + sizeof(struct uni_crash_request);
	uint8_t piece[SEARCH_PIECE];

	for (size_t offset = 0; offset < SEARCH_MAX; offset += sizeof(piece) - frame_len + 1) {
		const size_t len = port_poll_peek(probe_port, offset, piece, sizeof(piece));

		for (size_t i = 0; i + frame_len <= len; i++) {
			const uint32_t kind = crash_at(piece + i, len - i);

			if (kind != 0)
				return kind;
		}
		if (len < sizeof(piece))
			break;
	}
	return 0;
}

static void testify(const struct cpu *cpu, const struct trap_frame *frame)
{
	struct testimony *testimony = &testimonies[cpu->id];
	const struct thread *thread = cpu->thread;
	enum blame blame = stopped_irqs_off(frame) ? BLAME_IRQS_OFF : BLAME_THREAD;

	if (thread == NULL || thread == cpu->idle || thread == probe_thread)
		blame = BLAME_IDLE;
	testimony->since_ns = thread != NULL ? thread->running_since_ns : 0;
	if (blame == BLAME_IRQS_OFF && testimony->since_ns < cpu->irq_since_ns)
		testimony->since_ns = cpu->irq_since_ns;
	__atomic_store_n(&testimony->blame, blame, __ATOMIC_RELEASE);
}

static enum blame blame_of(unsigned cpu)
{
	return __atomic_load_n(&testimonies[cpu].blame, __ATOMIC_ACQUIRE);
}

static bool all_testified(void)
{
	for (unsigned i = 0; i < cpu_count(); i++)
		if (blame_of(i) == BLAME_NONE)
			return false;
	return true;
}

static unsigned verdict(void)
{
	unsigned worst = 0;

	for (unsigned i = 1; i < cpu_count(); i++)
		if (blame_of(i) > blame_of(worst) ||
		    (blame_of(i) == blame_of(worst) &&
		     testimonies[i].since_ns < testimonies[worst].since_ns))
			worst = i;
	return worst;
}

static _Noreturn void panic_as_asked(struct trap_frame *frame, uint32_t kind)
{
	if (kind == UNI_PANIC_REQUEST)
		panic_at(frame, PANIC_REQUESTED, "the host asked for a crash");
	panic_at(frame, PANIC_HANG, "the host found the guest silent%s",
		 stopped_irqs_off(frame) ? "; this CPU had interrupts off" : "");
}

bool probe_nmi(struct trap_frame *frame)
{
	const struct cpu *cpu = cpu_current();
	uint32_t kind = __atomic_load_n(&wanted_kind, __ATOMIC_ACQUIRE);
	uint64_t deadline_ns;

	if (kind == 0 && probe_port != NULL)
		kind = find_crash_frame();
	if (kind == 0)
		return false;
	__atomic_store_n(&wanted_kind, kind, __ATOMIC_RELEASE);
	testify(cpu, frame);
	deadline_ns = clock_deadline(RENDEZVOUS_NS);
	while (!all_testified() && clock_ns() < deadline_ns)
		cpu_relax();
	if (verdict() == cpu->id)
		panic_as_asked(frame, kind);
	return true;
}

void probe_crash(void *context, enum uni_panic_kind kind)
{
	const uint64_t deadline_ns = clock_deadline(CRASH_NS);

	__atomic_store_n(&wanted_kind, kind, __ATOMIC_RELEASE);
	irq_send_nmi_others();
	irq_send_nmi(cpu_id());
	while (clock_ns() < deadline_ns)
		cpu_relax();
	panic_kind(kind == UNI_PANIC_REQUEST ? PANIC_REQUESTED : PANIC_HANG,
		   "the host asked for a crash, and no NMI came");
}
