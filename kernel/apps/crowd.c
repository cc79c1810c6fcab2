/* SPDX-License-Identifier: MIT */

/* Many threads that sleep, `threads=` of them (1000), for tests of what lists them. After
 * `life-ms=` (an hour) they end, and as many others come. */

#include "kernel/app.h"
#include "kernel/clock.h"
#include "kernel/cmdline.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/thread.h"

const char app_name[] = "crowd";

#define STACK_SIZE 8192

static uint64_t life_ns;

static int stand_about(void *argument)
{
	thread_sleep_ns(life_ns);
	return 0;
}

static void come(unsigned count)
{
	char name[THREAD_NAME_SIZE];

	for (unsigned i = 0; i < count; i++) {
		struct thread_options options = {
			.name = name,
			.stack_size = STACK_SIZE,
			.detached = true,
		};

		format_text(name, sizeof(name), "member-%u", i);
		KASSERT(thread_create(&options, stand_about, NULL) != NULL);
	}
}

int app_main(void)
{
	unsigned count = (unsigned)cmdline_get_u64("threads", 1000);

	life_ns = cmdline_get_u64("life-ms", 3600000) * NS_PER_MS;
	come(count);
	log_printf(LOG_INFO, "crowd: all there");
	for (;;) {
		thread_sleep_ns(life_ns);
		come(count);
	}
}
