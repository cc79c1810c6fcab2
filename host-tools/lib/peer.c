/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/peer.h"

#include <sys/socket.h>
#include <unistd.h>

int uni_peer_accept(int listener_fd)
{
	int fd = accept4(listener_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (fd < 0)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
	    (peer.uid != geteuid() && peer.uid != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}
