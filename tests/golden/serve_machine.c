/* SPDX-License-Identifier: MIT */
/*
 * The stub as a process: serves the machine in memory (gdbstub/hosted/machine.h) on a Unix socket,
 * to one gdb after the other. It runs no code: a step moves the pc by a byte, and what continues
 * goes nowhere until Ctrl-C. `kill` in gdb ends it.
 *
 * The registers of thread n from x87 on are numbered: the eight bytes at offset o of its XSAVE area
 * are n << 32 | o. SETS are those that uni_gdb_init() takes, in hexadecimal.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gdbstub/hosted/machine.h"

static struct machine machine;

static void number_registers(struct machine_thread *thread)
{
	uint8_t *area = thread->registers.xsave;

	for (uint64_t at = 0; at < sizeof(thread->registers.xsave); at += sizeof(at)) {
		uint64_t word = (uint64_t)thread->public.id << 32 | at;

		memcpy(area + at, &word, sizeof(word));
	}
}

static void happen(enum uni_gdb_event_kind kind, uint32_t thread)
{
	uni_gdb_event(&machine.stub, &(struct uni_gdb_event){
					     .kind = kind,
					     .signal = UNI_GDB_SIGTRAP,
					     .thread = thread,
				     });
}

static bool send_all(int fd)
{
	for (size_t sent = 0; sent < machine.from_stub_len;) {
		ssize_t n = send(fd, machine.from_stub + sent, machine.from_stub_len - sent,
				 MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		sent += (size_t)n;
	}
	machine.from_stub_len = 0;
	return true;
}

/* Steps end at once. True: one did, and the machine is stopped again. */
static bool run_steps(void)
{
	for (unsigned i = 0; i < machine.thread_count; i++) {
		struct machine_thread *thread = &machine.threads[i];

		if (uni_gdb_resume_of(&machine.stub, thread->public.id).kind != UNI_GDB_STEP)
			continue;
		thread->registers.words[UNI_GDB_RIP]++;
		happen(UNI_GDB_EVENT_STEP, thread->public.id);
		return true;
	}
	return false;
}

/* Lets the stub answer what has come. */
static enum uni_gdb_verdict answer(int fd, bool *stopped)
{
	enum uni_gdb_verdict verdict;

	do {
		if (!*stopped)
			happen(UNI_GDB_EVENT_ATTENTION, 1);
		*stopped = true;
		verdict = uni_gdb_poll(&machine.stub);
		if (!send_all(fd))
			machine.gone = true;
		if (verdict == UNI_GDB_RESUME)
			*stopped = run_steps();
	} while (verdict == UNI_GDB_RESUME && *stopped);
	return verdict;
}

/* Until gdb goes. False: it has killed the machine. */
static bool serve(int fd)
{
	bool stopped = false;
	uint8_t bytes[4096];
	ssize_t n;

	machine.gone = false;
	machine.from_stub_len = 0;
	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		machine_send(&machine, bytes, (size_t)n);
		if (answer(fd, &stopped) == UNI_GDB_KILL)
			return false;
		if (machine.gone)
			break;
	}
	machine.gone = true;
	if (!stopped)
		happen(UNI_GDB_EVENT_ATTENTION, 1);
	(void)uni_gdb_poll(&machine.stub);
	return true;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1))
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	int listener, fd;

	if (argc != 3) {
		fprintf(stderr, "usage: serve_machine SOCKET SETS\n");
		return 2;
	}
	machine_init(&machine);
	machine.stub.register_sets = (uint32_t)strtoul(argv[2], NULL, 16);
	for (unsigned i = 0; i < machine.thread_count; i++)
		number_registers(&machine.threads[i]);
	listener = listen_at(argv[1]);
	if (listener < 0) {
		fprintf(stderr, "serve_machine: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		bool goes_on = serve(fd);

		close(fd);
		if (!goes_on)
			return 0;
	}
	fprintf(stderr, "serve_machine: %s: %s\n", argv[1], strerror(errno));
	return 1;
}
