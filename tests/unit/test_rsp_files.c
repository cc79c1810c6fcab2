/* SPDX-License-Identifier: MIT */

/* The files that gdb reads for `info proc` and `gcore`. */

#include "tests/unit/rsp_machine.h"

#define HEX_OF_SMAPS "2f70726f632f312f736d617073"
#define HEX_OF_MAPS "2f70726f632f312f6d617073"
#define HEX_OF_CMDLINE "2f70726f632f312f636d646c696e65"

#define STRETCHES                                                   \
	"0000000000100000-0000000000110000 rwxp 00000000 00:00 0\n" \
	"0000000000111000-0000000000120000 rw-p 00000000 00:00 0\n" \
	"0000000000120000-0000000000121000 r-xp 00000000 00:00 0\n" \
	"0000000000121000-000000000012f000 rw-p 00000000 00:00 0\n"

TestSuite(files, .init = rsp_attach);

/* What a read has behind its length, which is in hexadecimal. */
static const char *read_at(const char *file, unsigned len, unsigned offset)
{
	char packet[64];
	const char *answer;
	char *data;
	unsigned long got;

	snprintf(packet, sizeof(packet), "vFile:pread:%s,%x,%x", file, len, offset);
	answer = rsp_ask(packet);
	cr_assert_eq(answer[0], 'F', "%s", answer);
	got = strtoul(answer + 1, &data, 16);
	cr_assert_eq(*data, ';', "%s", answer);
	cr_assert_leq(got, len);
	cr_assert_leq(strlen(data + 1), got);
	return data + 1;
}

Test(files, memory_is_listed)
{
	rsp_expect("vFile:open:" HEX_OF_SMAPS ",0,0", "F3");
	cr_expect_str_eq(read_at("3", 4096, 0), STRETCHES);
	cr_expect_str_eq(read_at("3", 4096, 4 * 56), "");
	rsp_expect("vFile:close:3", "F0");
	rsp_expect("vFile:open:" HEX_OF_MAPS ",0,0", "F3");
}

Test(files, pieces_make_the_whole)
{
	static const char whole[] = STRETCHES;

	for (unsigned len = 1; len < sizeof(whole); len++)
		for (unsigned at = 0; at < sizeof(whole) - 1; at += len) {
			const char *piece = read_at("3", len, at);

			cr_assert_eq(strncmp(piece, whole + at, len), 0, "%u at %u: %s", len, at,
				     piece);
		}
}

Test(files, any_place_can_be_read)
{
	static const char whole[] = STRETCHES;

	for (unsigned at = sizeof(whole) - 1; at--;)
		cr_assert_str_eq(read_at("3", 4096, at), whole + at);
	rsp_expect("vFile:pread:3,ffffffffffffffff,ffffffffffffffff", "F0;");
}

Test(files, the_program_has_a_name)
{
	rsp_expect("vFile:open:" HEX_OF_CMDLINE ",0,0", "F4");
	/* With the 0 behind it. */
	rsp_expect("vFile:pread:4,1000,0", "F8;machine");
	rsp_expect("vFile:pread:4,3,2", "F3;chi");
	rsp_expect("vFile:pread:4,1000,8", "F0;");
}

Test(files, there_are_no_others)
{
	rsp_expect("vFile:open:2f6574632f706173737764,0,0", "F-1,2");
	rsp_expect("vFile:open:" HEX_OF_SMAPS "78,0,0", "F-1,2");
	rsp_expect("vFile:open:2f,0,0", "F-1,2");
	rsp_expect("vFile:open:", "F-1,2");
	rsp_expect("vFile:pread:5,10,0", "F-1,9");
	rsp_expect("vFile:pread:3", "F-1,16");
	rsp_expect("vFile:pwrite:3,0,x", "");
	rsp_expect("vFile:setfs:0", "");
}
