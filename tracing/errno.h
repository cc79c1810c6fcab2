/* SPDX-License-Identifier: MIT */
/*
 * Error numbers of the guest rooms (tracing, gdbstub, guest-probe, kernel) and of the formats.
 *
 * Functions return 0 (or a count) on success and the negative of one of these on failure. The
 * values are Linux's errno values, so that host code may pass them to strerror().
 */
#pragma once

#define UNI_ENOENT 2	  /* no such thing */
#define UNI_EIO 5	  /* the device or the peer failed */
#define UNI_EAGAIN 11	  /* no room, or nothing there, at this moment */
#define UNI_ENOMEM 12	  /* the caller's storage is too small */
#define UNI_EFAULT 14	  /* a bad address */
#define UNI_EBUSY 16	  /* in use */
#define UNI_EEXIST 17	  /* already there */
#define UNI_EINVAL 22	  /* malformed, or out of range */
#define UNI_ENOSPC 28	  /* full: dropped and counted */
#define UNI_ERANGE 34	  /* does not fit the result */
#define UNI_ENOTSUP 95	  /* not offered by this peer or platform */
#define UNI_ETIMEDOUT 110 /* gave up after the caller's time */
