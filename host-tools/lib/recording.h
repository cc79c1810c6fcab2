/* SPDX-License-Identifier: MIT */
/*
 * Writing a recording: a folder with `metadata`, `stream_N` for each CPU and uniscope/info.json, as
 * docs/formats/trace.md says. Packets are appended as they come.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host-tools/lib/error.h"
#include "host-tools/lib/trace_info.h"

struct uni_recording;

/* Makes the folder, which must not exist yet (-UNI_EEXIST). Packets of at most size_max bytes
 * together get into it, whatever a guest sends. */
int uni_recording_create(const char *folder, uint64_t size_max, struct uni_recording **out,
			 struct uni_error *error) __attribute__((warn_unused_result));

/*
 * Appends a packet of the life that `info` names and counts it in info->cpus. One that is malformed
 * or of another life, or for which there is no room, is left out, and so is lost by the guest's
 * count. Fails when the file cannot be written.
 */
int uni_recording_packet(struct uni_recording *recording, struct uni_trace_info *info,
			 const void *packet, size_t len, struct uni_error *error)
	__attribute__((warn_unused_result));

/* Whether it is time to stop: a sixteenth of the room is left, for what is on the way. */
bool uni_recording_is_full(const struct uni_recording *recording);

/* Writes metadata and uniscope/info.json: the recording is whole then. */
int uni_recording_finish(struct uni_recording *recording, const struct uni_trace_info *info,
			 struct uni_error *error) __attribute__((warn_unused_result));

/* Frees it. A recording that was not finished is removed, with its folder. NULL is fine. */
void uni_recording_close(struct uni_recording *recording);
