/* SPDX-License-Identifier: MIT */
/*
 * Guests without a guest: a process that claims names in the registry and answers their sockets
 * with made-up numbers, for tests of what is shown where.
 *
 *	alpha    2 vCPUs at 30 % and 80 %; a worker waits for the mutex "orders" of another; 500
 *	         requests a second; a leak of 64 KiB/s; two log lines
 *	bravo    1 vCPU, idle; its thread's name and log hold terminal control sequences
 *	crowd    300 threads, which come in two frames
 *	edge     died of "null pointer in edge_route()"
 */
#pragma once

#include <sys/types.h>

/* Starts it under XDG_RUNTIME_DIR, for the names given (NULL-terminated), and returns when they can
 * be connected to. It ends with the caller. -1: it could not. */
pid_t fake_guests_start(const char *const names[]);

/* Ends it and removes what it made. */
void fake_guests_stop(pid_t pid);
