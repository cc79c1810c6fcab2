/* SPDX-License-Identifier: MIT */
#include "tui/step_aside.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tracing/errno.h"
#include "tui/child.h"

#define EVENTS "sched:*,lock:*,app:*"

/* Each folder of the path, mode 0700 as all state of Uniscope. */
static int make_folders(char *path)
{
	for (char *at = path + 1;; at++) {
		char kept = *at;

		if (kept != '/' && kept != '\0')
			continue;
		*at = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -errno;
		*at = kept;
		if (kept == '\0')
			return 0;
	}
}

/* $XDG_STATE_HOME/uniscope/recordings/GUEST-TIME; its parent is made. */
static int name_recording(const char *guest, char *path, size_t size, struct uni_error *error)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	char folder[PATH_MAX], moment[32];
	time_t now = time(NULL);
	struct tm local;
	int result;

	if (state && *state)
		snprintf(folder, sizeof(folder), "%s/uniscope/recordings", state);
	else if (home && *home)
		snprintf(folder, sizeof(folder), "%s/.local/state/uniscope/recordings", home);
	else
		return uni_error_set(error, -UNI_ENOENT,
				     "cannot record: neither XDG_STATE_HOME nor HOME is set");
	result = make_folders(folder);
	if (result < 0)
		return uni_error_system(error, -result, "cannot make %s", folder);
	localtime_r(&now, &local);
	strftime(moment, sizeof(moment), "%Y-%m-%dT%H:%M:%S", &local);
	snprintf(path, size, "%s/%s-%s", folder, guest, moment);
	return 0;
}

static void wait_for_enter(void)
{
	int character;

	printf("\nEnter goes back to unitop. ");
	fflush(stdout);
	do
		character = getchar();
	while (character != '\n' && character != EOF);
	clearerr(stdin);
}

int step_aside_record(struct model *model, const char *guest, struct uni_error *error)
{
	char path[PATH_MAX + 128];
	const char *const record[] = {"record", guest, "-e", EVENTS, "--duration",
				      "1",	"-o",  path, NULL};
	const char *const report[] = {"report", path, NULL};
	int status = name_recording(guest, path, sizeof(path), error);

	if (status < 0)
		return status;
	printf("Tracing %s for one second: uniscope record %s -e '%s'\n", guest, guest, EVENTS);
	fflush(stdout);
	status = child_run(model, record, error);
	if (status == 0)
		status = child_run(model, report, error);
	wait_for_enter();
	return status < 0 ? status : 0;
}

int step_aside_gdb(struct model *model, const char *guest, struct uni_error *error)
{
	const char *const words[] = {"gdb", guest, NULL};
	int status = child_run(model, words, error);

	/* What it said on stderr stays readable. */
	if (status > 0)
		wait_for_enter();
	return status < 0 ? status : 0;
}
