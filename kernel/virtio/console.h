/* SPDX-License-Identifier: MIT */
#pragma once

/* The virtio-console device (virtio 1.2, section 5.3) with VIRTIO_CONSOLE_F_MULTIPORT: brings ports
 * up and follows what the host says of them over the control queues. */

#include <stdbool.h>

struct port;

/* Finds the devices and brings them up; returns when the host told of all its ports, or after a
 * second. Boot only. */
void virtio_console_init(void);

/* The i-th place for a port over all devices, NULL past the last; those that the device does not
 * have or did not name yet included. Any context. */
struct port *virtio_console_port_at(unsigned i);

/* Whether the host's side of the port is open, by control messages too that nobody handled yet: for
 * when the interrupts that would handle them are off. Changes nothing. Any context. */
bool virtio_console_peek_open(const struct port *port);
