/* SPDX-License-Identifier: MIT */
/*
 * Byte streams to the host, found by name: the ports of a virtio-console device with
 * VIRTIO_CONSOLE_F_MULTIPORT (virtio 1.2, section 5.3).
 *
 * A guest runs well without any port: port_find() is NULL then, and every function here takes only
 * ports that it gave out. Ports live as long as the guest. Nothing here allocates after
 * port_init().
 *
 * A port is used in one of two ways.
 *
 *  shared  Any thread, and interrupt handlers where it says so, on any CPU. Interrupts are off and
 * a lock is held while bytes are copied, up to 32 KiB; no call to the host is made under it. Never
 * call these from an NMI or a debug exception. polled  port_poll_*(): no lock, no interrupt,
 * nothing but loads and stores and a bounded wait on the device. For one CPU at a time, which the
 * caller sees to; every other CPU may have been stopped in the middle of anything. The first
 * port_poll_write() or port_poll_read() takes the port over for good: from then on the shared
 * functions return -UNI_EBUSY. So the stub's port is polled from its start, and the probe's port
 * from a panic on, and no stopped CPU can come back to find a queue that went on without it.
 * port_poll_peek() takes nothing over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* At most this many parts in one port_write(), port_submit() or port_poll_write(). */
#define PORT_IOV_MAX 8

/* The most bytes one port_write() takes: it copies, for more there is port_submit(). */
#define PORT_WRITE_MAX 32768

#define PORT_NAME_GDB "org.uniscope.gdb.0"
#define PORT_NAME_PROBE "org.uniscope.probe.0"
#define PORT_NAME_TRACE "org.uniscope.trace.0"
#define PORT_NAME_APP "org.uniscope.app.0"

struct port;

struct port_iov {
	const void *base;
	size_t len;
};

/* What a port_event_fn is told, in any combination. */
#define PORT_EVENT_READABLE 1u /* bytes came */
#define PORT_EVENT_WRITABLE 2u /* there is room again, after a call that returned -UNI_EAGAIN */
#define PORT_EVENT_OPENED 4u   /* the host opened its side */
#define PORT_EVENT_CLOSED 8u   /* the host closed its side; what it sent before can still be read */

/* Runs in interrupt context, interrupts off, no lock of the port held. */
typedef void (*port_event_fn)(struct port *port, unsigned events, void *arg);

/* Runs when the device is done with a port_submit(), or was closed and kept it for 100 ms more, in
 * interrupt context or inside any shared call for the port, no lock of the port held. Never for a
 * port that was taken over for polled use meanwhile. */
typedef void (*port_done_fn)(void *arg);

/* Monotonic totals since boot, written without atomics under the port's lock. */
struct port_counters {
	uint64_t tx_bytes;
	uint64_t tx_buffers; /* descriptor chains given to the device */
	uint64_t tx_kicks;   /* notifications, each an exit to the host */
	uint64_t tx_stalls;  /* calls that found no room */
	uint64_t rx_bytes;
	uint64_t rx_buffers;
	uint64_t errors; /* rings or messages of the device that made no sense, and were ignored */
};

/* Finds the virtio-console devices and their ports; waits for the device's answers by polling.
 * Called once, by the kernel, on the boot CPU before app_main(). */
void port_init(void);

/* The port of this name, or NULL. The pointer is good for ever. Any context. */
struct port *port_find(const char *name);

/* The port number i in the order of discovery, or NULL past the last one. Any context. */
struct port *port_at(unsigned i);

const char *port_name(const struct port *port);

/* Whether the host has its side open. The guest's side is open from port_init() on. Any context. */
bool port_is_open(const struct port *port);

/* The port's totals. Any context; values of one moment only as far as nobody writes meanwhile. */
void port_counters(const struct port *port, struct port_counters *out);

/* Sets the one callback of the port; NULL for none. Bytes that are there already are not told: read
 * until -UNI_EAGAIN after setting it. Threads only. */
void port_on_event(struct port *port, port_event_fn fn, void *arg);

/* Shared use. Threads and interrupt handlers. */

/* Writes all parts as one descriptor chain, or nothing; never waits. The caller's memory is free on
 * return. Parts of length 0 are skipped. Returns 0; -UNI_EAGAIN (no room; PORT_EVENT_WRITABLE
 * follows); -UNI_EIO (the host's side is closed, or the port is gone); -UNI_EBUSY (polled);
 * -UNI_EINVAL (count > PORT_IOV_MAX, or more than PORT_WRITE_MAX bytes, or none). */
int port_write(struct port *port, const struct port_iov *iov, unsigned count);

/* As port_write(), without copying and without a limit of size but 4 GiB a part: the device reads
 * the caller's memory until done(arg) ran, which is once for each 0 returned. The device need not
 * look before port_kick(): submit some, then kick once. */
int port_submit(struct port *port, const struct port_iov *iov, unsigned count, port_done_fn done,
		void *arg);

/* Tells the device of what was submitted, and runs done() for what it finished. */
void port_kick(struct port *port);

/* How many parts port_submit() has room for at this moment. */
unsigned port_room(struct port *port);

/* Reads up to len bytes that came from the host; never waits. Returns how many, at least 1;
 * -UNI_EAGAIN (none there, and the host's side is open); -UNI_EIO (none there, and it is closed);
 * -UNI_EBUSY (polled); -UNI_EINVAL (len is 0). */
long port_read(struct port *port, void *buf, size_t len);

/* The same two, waiting for room or bytes, or for the host to open its side, timeout_ms at the
 * most; negative: for ever. -UNI_ETIMEDOUT in place of -UNI_EAGAIN and, while the host's side is
 * closed, of -UNI_EIO. Threads only. */
int port_write_wait(struct port *port, const struct port_iov *iov, unsigned count,
		    int64_t timeout_ms);
long port_read_wait(struct port *port, void *buf, size_t len, int64_t timeout_ms);

/* Polled use. Any context, NMI and debug exceptions included; one CPU at a time. */

/* Takes the port over for polled use without reading or writing: for an owner that will poll it
 * always. PORT_EVENT_READABLE goes on being told, as the signal that bytes wait, maybe after they
 * were read. */
void port_poll_only(struct port *port);

/* Writes all parts in their order, and waits until the device took them, timeout_us at the most. Up
 * to 4 KiB in all are copied first. Of more the device may go on reading the caller's memory after
 * -UNI_ETIMEDOUT. Returns 0; -UNI_ETIMEDOUT (the host does not read; part of the bytes may have
 * gone out); -UNI_EIO (the host's side is closed, or the port is gone); -UNI_EINVAL as
 * port_write(). */
int port_poll_write(struct port *port, const struct port_iov *iov, unsigned count,
		    uint64_t timeout_us);

/* As port_read(), never -UNI_EBUSY. */
long port_poll_read(struct port *port, void *buf, size_t len);

/* Copies up to len waiting bytes, from the offset-th on, and changes nothing: they will be read
 * again. Returns how many, 0 where there are no more. From an NMI that interrupted a reader on this
 * CPU the answer is exact. While a reader runs on another CPU, it is either exact or 0. */
size_t port_poll_peek(const struct port *port, size_t offset, void *buf, size_t len);
