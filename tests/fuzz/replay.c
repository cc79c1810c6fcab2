/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/replay.h"

#include <string.h>

#define MUTATIONS_OF_A_FILE 200
#define FILE_SIZE_MAX (1 << 21)
#define NEAR_THE_START 300

/* xorshift64 */
uint64_t replay_random(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

size_t replay_mutate(uint8_t *bytes, size_t len)
{
	static const uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

	for (uint64_t left = replay_random() % 8; left > 0 && len > 0; left--) {
		size_t within = replay_random() % 2 && len > NEAR_THE_START ? NEAR_THE_START : len;
		size_t at = replay_random() % within;

		switch (replay_random() % 16) {
		case 0:
			memmove(bytes + at, bytes + at + 1, --len - at);
			break;
		case 1:
			len = replay_random() % 4 ? len : at;
			break;
		case 2 ... 7:
			bytes[at] = edges[replay_random() % sizeof(edges)];
			break;
		default:
			bytes[at] ^= (uint8_t)(1u << replay_random() % 8);
		}
	}
	return len;
}

#ifdef UNI_FUZZ_REPLAY

/* A copy of exactly this size, so that the sanitizer sees a read past its end. */
static void run_copy(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	CHECK(copy);
	memcpy(copy, bytes, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static bool run_file(const char *path)
{
	static uint8_t original[FILE_SIZE_MAX], mutant[FILE_SIZE_MAX];
	FILE *file = fopen(path, "rb");
	size_t len;

	if (!file)
		return false;
	len = fread(original, 1, sizeof(original), file);
	fclose(file);
	run_copy(original, len);
	for (int i = 0; i < MUTATIONS_OF_A_FILE; i++) {
		memcpy(mutant, original, len);
		run_copy(mutant, replay_mutate(mutant, len));
	}
	return true;
}

static bool run_made(unsigned long count)
{
	uint8_t *input = aligned_alloc(64, (replay.size_max + 63) & ~(size_t)63);
	unsigned long before = replay.reached ? replay.reached() : 0;

	CHECK(input);
	for (unsigned long i = 0; i < count; i++)
		run_copy(input, replay.make(input));
	free(input);
	if (!replay.reached)
		return true;
	printf("# %lu of %lu reached what is tested\n", replay.reached() - before, count);
	return replay.reached() - before >= count / 50;
}

int main(int argc, char **argv)
{
	const char *wanted = getenv("UNI_FUZZ_COUNT");
	unsigned long count = wanted ? strtoul(wanted, NULL, 10) : replay.count;

	printf("1..%d\n", argc);
	for (int i = 1; i < argc; i++) {
		/* Before it runs, as it may be the last that is said. */
		printf("# %s\n", argv[i]);
		fflush(stdout);
		printf("%s %d - %s\n", run_file(argv[i]) ? "ok" : "not ok", i, argv[i]);
	}
	printf("# %lu inputs\n", count);
	fflush(stdout);
	printf("%s %d - made-up inputs\n", run_made(count) ? "ok" : "not ok", argc);
	return 0;
}

#endif
