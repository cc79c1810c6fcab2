/* SPDX-License-Identifier: MIT */
#pragma once

/* The threads that handle requests, each with a queue of its own. */

#include "kernel/apps/shop/queue.h"

/* Starts the worker of this number, 0 .. SHOP_WORKERS_MAX - 1. */
void worker_start(unsigned number);

/* Waits while its queue is full. */
void worker_assign(unsigned number, struct request *request);

/* How many requests wait for it. */
unsigned worker_backlog(unsigned number);
