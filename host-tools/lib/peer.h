/* SPDX-License-Identifier: MIT */
/* Who may connect to a guest's sockets: the user who runs it, and root. */
#pragma once

/* Accepts one connection: a non-blocking descriptor with CLOEXEC, or -1 when there is none or the
 * peer is another user (its connection is closed). */
int uni_peer_accept(int listener_fd);
