/* SPDX-License-Identifier: MIT */

/* All threads there are, for whoever looks on. */

#include "kernel/arch/x86_64/fault.h"
#include "kernel/clock.h"
#include "kernel/sched.h"
#include "kernel/spinlock.h"
#include "kernel/sync.h"
#include "kernel/thread.h"

#include <string.h>

/* Every thread. Append and remove keep `next` valid at each step: a walk with the world stopped
 * meets a list that ends where it began. */
static struct list all = LIST_INIT(all);
static unsigned all_count;
static uint32_t last_id;
static struct spinlock all_lock = SPINLOCK_INIT("threads");

bool thread_list_add(struct thread *thread)
{
	uint64_t flags = spin_lock(&all_lock);
	bool has_room = all_count < THREAD_MAX && last_id < THREAD_ID_MAX;

	if (has_room) {
		thread->id = ++last_id;
		thread->all_link.next = &all;
		thread->all_link.prev = all.prev;
		__atomic_store_n(&all.prev->next, &thread->all_link, __ATOMIC_RELEASE);
		all.prev = &thread->all_link;
		all_count++;
	}
	spin_unlock(&all_lock, flags);
	return has_room;
}

void thread_list_remove(struct thread *thread)
{
	uint64_t flags = spin_lock(&all_lock);

	list_remove(&thread->all_link);
	all_count--;
	spin_unlock(&all_lock, flags);
}

static size_t stack_used_max(const struct thread *thread)
{
	const uint64_t *low = (const uint64_t *)thread->stack_low;
	const uint64_t *high = (const uint64_t *)thread->stack_high;

	while (low < high && *low == 0)
		low++;
	return (size_t)((const char *)high - (const char *)low);
}

static uint32_t wait_owner(const struct thread *thread)
{
	struct thread *owner = NULL;
	uint32_t id = 0;

	if (thread->wait.kind != WAIT_MUTEX)
		return 0;
	memory_read_nofault(&owner, &((const struct mutex *)thread->wait.object)->owner,
			    sizeof(owner));
	if (owner != NULL)
		memory_read_nofault(&id, &owner->id, sizeof(id));
	return id;
}

void thread_fill_info(const struct thread *thread, struct thread_info *out)
{
	*out = (struct thread_info){
		.id = thread->id,
		.state = thread->state,
		.priority = thread->priority,
		.pinned_cpu = thread->pinned_cpu,
		.cpu = thread->cpu,
		.runtime_ns = thread->runtime_ns,
		.switches = thread->switches,
		.preemptions = thread->preemptions,
		.migrations = thread->migrations,
		.entry = (uintptr_t)thread->entry,
		.stack_low = thread->stack_low,
		.stack_high = thread->stack_high,
		.stack_used_max = stack_used_max(thread),
	};
	memcpy(out->name, thread->name, sizeof(out->name));
	if (thread->state == THREAD_RUNNING)
		out->runtime_ns += clock_ns() - thread->running_since_ns;
	else
		out->saved_rsp = thread->saved_rsp;
	if (thread->state == THREAD_BLOCKED) {
		out->wait = thread->wait;
		out->wait_owner = wait_owner(thread);
	}
}

unsigned thread_count(void)
{
	return __atomic_load_n(&all_count, __ATOMIC_RELAXED);
}

void thread_for_each(bool (*visit)(const struct thread_info *info, void *context), void *context)
{
	uint64_t flags = spin_lock(&all_lock);

	list_for_each(node, &all)
	{
		struct thread_info info;

		sched_snapshot(list_entry(node, struct thread, all_link), &info);
		if (!visit(&info, context))
			break;
	}
	spin_unlock(&all_lock, flags);
}

struct thread *thread_next_stopped(const struct thread *thread)
{
	struct list *node = NULL;
	struct thread *next;
	uint32_t id;

	memory_read_nofault(&node, thread != NULL ? &thread->all_link.next : &all.next,
			    sizeof(node));
	if (node == NULL || node == &all)
		return NULL;
	next = list_entry(node, struct thread, all_link);
	/* Ids grow along the list: a broken one cannot lead in a circle. */
	if (memory_read_nofault(&id, &next->id, sizeof(id)) != 0 ||
	    (thread != NULL && id <= thread->id))
		return NULL;
	return next;
}

struct thread *thread_by_id_stopped(uint32_t id)
{
	struct thread *thread = NULL;

	while ((thread = thread_next_stopped(thread)) != NULL) {
		if (thread->id == id)
			return thread;
	}
	return NULL;
}

void thread_snapshot_stopped(const struct thread *thread, struct thread_info *out)
{
	thread_fill_info(thread, out);
}

const char *thread_state_name(enum thread_state state)
{
	static const char *const names[] = {"?", "running", "ready", "blocked", "exited"};

	return state <= THREAD_EXITED ? names[state] : "?";
}

const char *wait_kind_name(enum wait_kind kind)
{
	static const char *const names[] = {"none",	 "sleep", "mutex", "cond",
					    "semaphore", "join",  "io"};

	return kind <= WAIT_IO ? names[kind] : "?";
}
