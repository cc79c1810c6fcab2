/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guest-probe/probe_abi.h"
#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/trace_packet.h"
#include "host-tools/lib/trace_tsdl.h"
#include "tracing/errno.h"

#define METADATA "metadata"

struct uni_recording {
	char folder[PATH_MAX];
	int folder_fd;
	int streams[UNI_TRACE_CPUS_MAX]; /* -1: no packet yet */
	uint64_t size, size_max;	 /* bytes of packets */
	bool finished;
};

static void stream_name(uint32_t cpu, char out[24])
{
	snprintf(out, 24, "stream_%" PRIu32, cpu);
}

int uni_recording_create(const char *folder, uint64_t size_max, struct uni_recording **out,
			 struct uni_error *error)
{
	struct uni_recording *recording;
	uni_cleanup_fd int fd = -1;

	if (strlen(folder) >= PATH_MAX)
		return uni_error_system(error, ENAMETOOLONG, "cannot create the recording");
	if (mkdir(folder, 0777) < 0) {
		uni_error_system(error, errno, "cannot create %s", folder);
		return errno == EEXIST ? uni_error_advise(error, "choose another with -o") : -errno;
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	recording = calloc(1, sizeof(*recording));
	if (fd < 0 || !recording) {
		int saved = fd < 0 ? errno : ENOMEM;

		free(recording);
		rmdir(folder);
		return uni_error_system(error, saved, "cannot create %s", folder);
	}
	strcpy(recording->folder, folder);
	recording->folder_fd = uni_take_fd(&fd);
	recording->size_max = size_max;
	for (size_t i = 0; i < UNI_TRACE_CPUS_MAX; i++)
		recording->streams[i] = -1;
	*out = recording;
	return 0;
}

static int write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t written = write(fd, at, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		at += written;
		len -= (size_t)written;
	}
	return 0;
}

/* Whether a packet's uuid is the boot id, which is in hexadecimal. */
static bool same_life(const uint8_t uuid[16], const char *boot_id)
{
	char text[2 * UNI_BOOT_ID_SIZE + 1];

	for (size_t i = 0; i < UNI_BOOT_ID_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", uuid[i]);
	return strcmp(text, boot_id) == 0;
}

int uni_recording_packet(struct uni_recording *recording, struct uni_trace_info *info,
			 const void *packet, size_t len, struct uni_error *error)
{
	struct uni_trace_packet header;
	struct uni_trace_cpu *cpu;
	int *fd, result;

	if (uni_trace_packet_read(packet, len, &header) < 0 || header.packet_size / 8 != len ||
	    header.cpu_id >= info->cpu_count || !same_life(header.uuid, info->boot_id) ||
	    len > recording->size_max - recording->size)
		return 0;
	cpu = &info->cpus[header.cpu_id];
	fd = &recording->streams[header.cpu_id];
	if (*fd < 0) {
		char name[24];

		stream_name(header.cpu_id, name);
		*fd = openat(recording->folder_fd, name,
			     O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
		if (*fd < 0)
			return uni_error_system(error, errno, "cannot write %s/%s",
						recording->folder, name);
	}
	result = write_all(*fd, packet, len);
	if (result < 0)
		return uni_error_system(error, -result, "cannot write the recording %s",
					recording->folder);
	recording->size += len;
	cpu->recorded += header.event_count;
	cpu->packets++;
	cpu->bytes += len;
	/* Until the guest's own counts come. */
	if (header.events_emitted > cpu->emitted)
		cpu->emitted = header.events_emitted;
	if (header.events_discarded > cpu->discarded)
		cpu->discarded = header.events_discarded;
	return 0;
}

bool uni_recording_is_full(const struct uni_recording *recording)
{
	return recording->size > recording->size_max - recording->size_max / 16;
}

static int write_metadata(struct uni_recording *recording, const struct uni_trace_info *info,
			  struct uni_error *error)
{
	int fd = openat(recording->folder_fd, METADATA, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			0666);
	uni_cleanup_file FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file) {
		uni_error_system(error, errno, "cannot write %s/" METADATA, recording->folder);
		if (fd >= 0)
			close(fd);
		return -errno;
	}
	uni_trace_write_tsdl(info, file);
	if (fflush(file) != 0 || ferror(file))
		return uni_error_system(error, errno, "cannot write %s/" METADATA,
					recording->folder);
	return 0;
}

int uni_recording_finish(struct uni_recording *recording, const struct uni_trace_info *info,
			 struct uni_error *error)
{
	int result = write_metadata(recording, info, error);

	if (result == 0 && mkdirat(recording->folder_fd, UNI_TRACE_INFO_FOLDER, 0777) < 0)
		result = uni_error_system(error, errno, "cannot create %s/" UNI_TRACE_INFO_FOLDER,
					  recording->folder);
	if (result == 0)
		result = uni_trace_info_write(info, recording->folder_fd, error);
	recording->finished = result == 0;
	return result;
}

static void remove_files(struct uni_recording *recording)
{
	for (uint32_t cpu = 0; cpu < UNI_TRACE_CPUS_MAX; cpu++) {
		char name[24];

		stream_name(cpu, name);
		if (recording->streams[cpu] >= 0)
			unlinkat(recording->folder_fd, name, 0);
	}
	unlinkat(recording->folder_fd, METADATA, 0);
	unlinkat(recording->folder_fd, UNI_TRACE_INFO_FILE, 0);
	unlinkat(recording->folder_fd, UNI_TRACE_INFO_FOLDER, AT_REMOVEDIR);
	rmdir(recording->folder);
}

void uni_recording_close(struct uni_recording *recording)
{
	if (!recording)
		return;
	if (!recording->finished)
		remove_files(recording);
	for (size_t i = 0; i < UNI_TRACE_CPUS_MAX; i++) {
		if (recording->streams[i] >= 0)
			close(recording->streams[i]);
	}
	close(recording->folder_fd);
	free(recording);
}
