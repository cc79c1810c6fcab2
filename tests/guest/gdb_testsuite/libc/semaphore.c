/* SPDX-License-Identifier: MIT */

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

struct counted {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	unsigned count;
};

static struct counted *counted_of(sem_t *semaphore)
{
	struct counted *counted;

	memcpy(&counted, semaphore, sizeof(counted));
	return counted;
}

int sem_init(sem_t *semaphore, int shared, unsigned count)
{
	struct counted *counted = calloc(1, sizeof(*counted));

	(void)shared;
	if (counted == NULL)
		return -1;
	counted->count = count;
	memcpy(semaphore, &counted, sizeof(counted));
	return 0;
}

int sem_wait(sem_t *semaphore)
{
	struct counted *counted = counted_of(semaphore);

	pthread_mutex_lock(&counted->mutex);
	while (counted->count == 0)
		pthread_cond_wait(&counted->cond, &counted->mutex);
	counted->count--;
	pthread_mutex_unlock(&counted->mutex);
	return 0;
}

int sem_post(sem_t *semaphore)
{
	struct counted *counted = counted_of(semaphore);

	pthread_mutex_lock(&counted->mutex);
	counted->count++;
	pthread_cond_signal(&counted->cond);
	pthread_mutex_unlock(&counted->mutex);
	return 0;
}

int sem_destroy(sem_t *semaphore)
{
	free(counted_of(semaphore));
	return 0;
}
