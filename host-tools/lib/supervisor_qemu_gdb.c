/* SPDX-License-Identifier: MIT */
/*
 * QEMU's own gdb stub, for a guest that has none: opened once, when a client first asks for it, on
 * a socket in the guest's folder. It knows vCPUs, no threads.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "host-tools/lib/supervisor_internal.h"
#include "tracing/errno.h"

/* A folder of at most PATH_MAX bytes, and the name. */
#define SOCKET_SIZE (PATH_MAX + 32)

/* Whose request QEMU is working on. */
struct qemu_gdb_request {
	struct supervisor *supervisor;
	uint64_t client_id;
	uint32_t sequence;
};

static void socket_path(const struct supervisor *supervisor, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", supervisor->claim.folder, UNI_SOCKET_QEMU_GDB);
}

/* QEMU's monitor says in words what went wrong, and about the same when nothing did: the socket
 * tells. */
static void on_opened(void *context, struct json_object *result)
{
	struct qemu_gdb_request *request = context;
	struct client *client = clients_find(request->supervisor, request->client_id);
	char path[SOCKET_SIZE], text[256];
	struct stat status;

	snprintf(text, sizeof(text), "QEMU cannot open its own gdb stub: %s",
		 json_object_is_type(result, json_type_string) ? json_object_get_string(result)
							       : "it gave no reason");
	socket_path(request->supervisor, path, sizeof(path));
	if (client && stat(path, &status) == 0)
		client_reply(client, request->sequence, 0, path);
	else if (client)
		client_reply(client, request->sequence, -UNI_EIO, text);
	free(request);
}

static int ask_qemu(struct supervisor *supervisor, const char *path,
		    struct qemu_gdb_request *request)
{
	char command[SOCKET_SIZE + 64];
	struct json_object *arguments = json_object_new_object();
	int status;

	snprintf(command, sizeof(command), "gdbserver unix:%s,server=on,wait=off", path);
	json_object_object_add(arguments, "command-line", json_object_new_string(command));
	status = uni_qmp_execute(&supervisor->qmp, "human-monitor-command",
				 json_object_to_json_string(arguments), on_opened, request);
	json_object_put(arguments);
	return status;
}

void qemu_gdb_open(struct client *client, uint32_t sequence)
{
	struct supervisor *supervisor = client->supervisor;
	char path[SOCKET_SIZE];
	struct qemu_gdb_request *request;
	struct stat status;

	socket_path(supervisor, path, sizeof(path));
	/* Opening it again would throw out the gdb that is there. */
	if (stat(path, &status) == 0) {
		client_reply(client, sequence, 0, path);
		return;
	}
	request = calloc(1, sizeof(*request));
	if (!request) {
		client_reply(client, sequence, -UNI_ENOMEM, "out of memory");
		return;
	}
	*request = (struct qemu_gdb_request){supervisor, client->id, sequence};
	if (ask_qemu(supervisor, path, request) < 0) {
		client_reply(client, sequence, -UNI_EIO, "QEMU does not answer");
		free(request);
	}
}
