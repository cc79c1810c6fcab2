/* SPDX-License-Identifier: MIT */
/*
 * Starts QEMU for a guest. QEMU gets the guest's RAM as a memfd that the caller keeps, and every
 * channel as a descriptor: sockets with no name for QMP, console, probe and trace; and for gdb and
 * the application listening sockets, so that each connection to them reaches the guest as an open
 * and each end of one as a close of the port.
 *
 * QEMU dies with the thread that launched it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "host-tools/lib/error.h"
#include "host-tools/lib/image.h"

#define UNI_LAUNCH_CPUS_MAX 16
#define UNI_LAUNCH_MEMORY_MIB_MAX (64 * 1024)

enum uni_machine {
	UNI_MACHINE_MICROVM, /* virtio over mmio */
	UNI_MACHINE_Q35,     /* virtio over PCI */
};

enum uni_accel {
	UNI_ACCEL_AUTO, /* KVM where it runs guest code on the processor, else TCG */
	UNI_ACCEL_TCG,
	UNI_ACCEL_KVM,
};

/* NULL-terminated, in the order of the enumerations. */
extern const char *const uni_machine_names[];
extern const char *const uni_accel_names[];

struct uni_launch_options {
	const char *name;
	const struct uni_image *image;
	enum uni_machine machine;
	enum uni_accel accel; /* resolved: not AUTO */
	uint32_t cpus;
	uint32_t memory_mib;
	const char *arguments; /* the guest's command line; "" for none */
	int gdb_listener;      /* lent */
	int app_listener;      /* lent */
};

struct uni_launched {
	pid_t pid;
	int pid_fd;
	int memory_fd; /* the guest's RAM from physical address 0 on, below the PCI hole */
	int qmp_fd;    /* these four: non-blocking stream sockets */
	int console_fd;
	int probe_fd;
	int trace_fd;
	int stderr_fd; /* non-blocking read end of a pipe */
};

/* Nothing runs, and nothing is open. */
extern const struct uni_launched uni_launched_none;

/*
 * What --accel means here. Explicit KVM fails where /dev/kvm cannot be opened; where it can but the
 * processor has neither svm nor vmx, *slow_kvm is set: guest code will be emulated. AUTO takes TCG
 * in both cases.
 */
int uni_launch_resolve_accel(enum uni_accel wanted, enum uni_accel *accel, bool *slow_kvm,
			     struct uni_error *error);

/* Whether memory_mib holds the image; else an error that says how much would. */
int uni_launch_check_memory(const struct uni_image *image, uint32_t memory_mib,
			    struct uni_error *error);

/* Starts QEMU; the guest waits for "cont" over QMP. The descriptors in *launched are the caller's
 * from then on. That QEMU accepted its command line shows only in its answers on qmp_fd. */
int uni_launch(const struct uni_launch_options *options, struct uni_launched *launched,
	       struct uni_error *error);

/* Ends QEMU at once and waits for it, if it still runs, and closes every descriptor. */
void uni_launched_end(struct uni_launched *launched);
