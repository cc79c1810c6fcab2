/* SPDX-License-Identifier: MIT */
/* Globs of tracepoints. */
#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "host-tools/lib/trace_points.h"
#include "tracing/errno.h"

static size_t match_one(const struct uni_trace_points *points, const char *glob, uint8_t *bitmap)
{
	char whole_group[80];
	size_t matched = 0;

	if (!strpbrk(glob, ":*?[")) {
		snprintf(whole_group, sizeof(whole_group), "%.60s:*", glob);
		glob = whole_group;
	}
	for (size_t i = 0; i < points->count; i++) {
		if (fnmatch(glob, points->list[i].name, 0) != 0)
			continue;
		bitmap[i / 8] |= (uint8_t)(1u << (i % 8));
		matched++;
	}
	return matched;
}

/* How well a name answers a mistyped glob: letters that they share at the start, of the group or of
 * the event. */
static size_t likeness(const char *glob, const char *name)
{
	const char *colon = strchr(glob, ':');
	const char *event = colon ? colon + 1 : glob;
	const char *name_event = strchr(name, ':') + 1;
	size_t group = 0, same = 0;

	while (glob[group] && glob[group] != ':' && glob[group] == name[group])
		group++;
	while (event[same] && event[same] == name_event[same])
		same++;
	return group > same ? group : same;
}

static int no_match(const struct uni_trace_points *points, const char *glob,
		    struct uni_error *error)
{
	char near[256] = "";
	size_t best = 0, len = 0;

	for (size_t i = 0; i < points->count; i++) {
		size_t like = likeness(glob, points->list[i].name);

		best = like > best ? like : best;
	}
	for (size_t i = 0; best > 0 && i < points->count; i++) {
		if (likeness(glob, points->list[i].name) != best ||
		    len + sizeof(points->list[i].name) + 4 > sizeof(near))
			continue;
		len += (size_t)snprintf(near + len, sizeof(near) - len, "%s%s", len ? ", " : "",
					points->list[i].name);
	}
	uni_error_set(error, -UNI_ENOENT, "no tracepoint matches '%s'", glob);
	if (len > 0)
		return uni_error_advise(error, "there is %s", near);
	return uni_error_advise(error, "--list names all %zu", points->count);
}

int uni_trace_points_match(const struct uni_trace_points *points, const char *globs,
			   uint8_t *bitmap, struct uni_error *error)
{
	bool any = false;

	memset(bitmap, 0, (points->count + 7) / 8);
	while (*globs) {
		size_t len = strcspn(globs, ", ");
		char glob[128];

		if (len >= sizeof(glob))
			return uni_error_set(error, -UNI_EINVAL,
					     "no tracepoint has a name as long as '%.*s'", (int)len,
					     globs);
		memcpy(glob, globs, len);
		glob[len] = '\0';
		globs += len + (globs[len] != '\0');
		if (len == 0)
			continue;
		if (match_one(points, glob, bitmap) == 0)
			return no_match(points, glob, error);
		any = true;
	}
	if (!any)
		return uni_error_usage(error, "which events? -e takes globs, as 'sched:*'");
	return 0;
}
