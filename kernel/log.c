/* SPDX-License-Identifier: MIT */

#include "kernel/log.h"

#include "kernel/clock.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/format.h"
#include "kernel/thread.h"

#include <string.h>

/* While a slot is being written. */
#define SEQUENCE_BUSY UINT64_MAX

/* Writers take a number each, with interrupts of any kind in between: no lock. A slot carries the
 * number of the record it holds, written last; a reader that finds it unchanged after copying has a
 * whole record. */
static struct log_record ring[LOG_RECORD_COUNT];
static uint64_t next_sequence;

static struct log_record *slot_of(uint64_t sequence)
{
	return &ring[sequence % LOG_RECORD_COUNT];
}

static void put_record(const struct log_record *record)
{
	uint64_t sequence = __atomic_fetch_add(&next_sequence, 1, __ATOMIC_RELAXED);
	struct log_record *slot = slot_of(sequence);

	__atomic_store_n(&slot->sequence, SEQUENCE_BUSY, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy((char *)slot + sizeof(slot->sequence), (const char *)record + sizeof(slot->sequence),
	       sizeof(*slot) - sizeof(slot->sequence));
	__atomic_store_n(&slot->sequence, sequence, __ATOMIC_RELEASE);
}

static void print(const struct log_record *record)
{
	if (record->level == LOG_DEBUG || cpu_current()->nmi_depth != 0)
		return;
	console_printf("[%5llu.%06llu] %s%s%.*s\n",
		       (unsigned long long)(record->time_ns / NS_PER_S),
		       (unsigned long long)(record->time_ns % NS_PER_S / NS_PER_US),
		       record->level < LOG_INFO ? log_level_name(record->level) : "",
		       record->level < LOG_INFO ? ": " : "", (int)record->len, record->text);
}

void log_printf(enum log_level level, const char *format, ...)
{
	struct log_record record = {
		.time_ns = clock_ns(),
		.cpu = (uint16_t)cpu_id(),
		.level = (uint8_t)level,
	};
	struct thread *thread = thread_current();
	va_list arguments;
	size_t len;

	if (thread != NULL)
		record.thread = thread->id;
	va_start(arguments, format);
	len = format_text_v(record.text, sizeof(record.text), format, arguments);
	va_end(arguments);
	record.len = (uint8_t)(len < LOG_TEXT_MAX ? len : LOG_TEXT_MAX);
	put_record(&record);
	print(&record);
}

uint64_t log_next(void)
{
	return __atomic_load_n(&next_sequence, __ATOMIC_ACQUIRE);
}

uint64_t log_oldest(void)
{
	uint64_t next = log_next();

	return next > LOG_RECORD_COUNT ? next - LOG_RECORD_COUNT : 0;
}

bool log_read(uint64_t sequence, struct log_record *out)
{
	const struct log_record *slot = slot_of(sequence);
	struct log_record copy;

	if (sequence >= log_next() ||
	    __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE) != sequence)
		return false;
	memcpy(&copy, slot, sizeof(copy));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&slot->sequence, __ATOMIC_RELAXED) != sequence)
		return false;
	*out = copy;
	return true;
}

const char *log_level_name(enum log_level level)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};

	return names[level];
}
