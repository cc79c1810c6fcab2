/* SPDX-License-Identifier: MIT */

#include "gdbstub/arch/x86_64/registers_layout.h"

#include "gdbstub/arch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define WORD(name, word, type)                            \
	{                                                 \
		name, 8, UNI_GDB_##word, 0, 8, type, NULL \
	}
#define HALF(name, word, type)                            \
	{                                                 \
		name, 4, UNI_GDB_##word, 0, 4, type, NULL \
	}
#define KEPT(name, size, offset, bytes, type, group)                  \
	{                                                             \
		name, size, UNI_GDB_XSAVE, offset, bytes, type, group \
	}
#define CONTROL(name, offset, bytes) KEPT(name, 4, offset, bytes, "int", "float")
#define ST(n) KEPT("st" #n, 10, 32 + 16 * n, 10, "i387_ext", NULL)
#define XMM(n) KEPT("xmm" #n, 16, 160 + 16 * n, 16, "vec128", NULL)
#define YMM_HIGH(n) KEPT("ymm" #n "h", 16, UNI_XSAVE_AVX + 16 * n, 16, "uint128", NULL)
#define MASK(n) KEPT("k" #n, 8, UNI_XSAVE_OPMASK + 8 * n, 8, "uint64", NULL)
#define ZMM_HIGH(n) KEPT("zmm" #n "h", 32, UNI_XSAVE_ZMM_HI256 + 32 * n, 32, "v2ui128", NULL)
/* Those of AVX-512 alone are kept whole: gdb has them in three parts. */
#define ZMM_AT(n) (UNI_XSAVE_HI16_ZMM + 64 * (n - 16))
#define XMM_512(n) KEPT("xmm" #n, 16, ZMM_AT(n), 16, "vec128", NULL)
#define YMM_HIGH_512(n) KEPT("ymm" #n "h", 16, ZMM_AT(n) + 16, 16, "uint128", NULL)
#define ZMM_HIGH_512(n) KEPT("zmm" #n "h", 32, ZMM_AT(n) + 32, 32, "v2ui128", NULL)

#define FROM_0_TO_7(X) X(0), X(1), X(2), X(3), X(4), X(5), X(6), X(7)
#define FROM_0_TO_15(X) FROM_0_TO_7(X), X(8), X(9), X(10), X(11), X(12), X(13), X(14), X(15)
#define FROM_16_TO_31(X)                                                                           \
	X(16), X(17), X(18), X(19), X(20), X(21), X(22), X(23), X(24), X(25), X(26), X(27), X(28), \
		X(29), X(30), X(31)

static const struct uni_gdb_x86_register core[] = {
	WORD("rax", RAX, "int64"),
	WORD("rbx", RBX, "int64"),
	WORD("rcx", RCX, "int64"),
	WORD("rdx", RDX, "int64"),
	WORD("rsi", RSI, "int64"),
	WORD("rdi", RDI, "int64"),
	WORD("rbp", RBP, "data_ptr"),
	WORD("rsp", RSP, "data_ptr"),
	WORD("r8", R8, "int64"),
	WORD("r9", R9, "int64"),
	WORD("r10", R10, "int64"),
	WORD("r11", R11, "int64"),
	WORD("r12", R12, "int64"),
	WORD("r13", R13, "int64"),
	WORD("r14", R14, "int64"),
	WORD("r15", R15, "int64"),
	WORD("rip", RIP, "code_ptr"),
	HALF("eflags", EFLAGS, "eflags_bits"),
	HALF("cs", CS, "int32"),
	HALF("ss", SS, "int32"),
	HALF("ds", DS, "int32"),
	HALF("es", ES, "int32"),
	HALF("fs", FS, "int32"),
	HALF("gs", GS, "int32"),
	FROM_0_TO_7(ST),
	CONTROL("fctrl", 0, 2),
	CONTROL("fstat", 2, 2),
	CONTROL("ftag", UNI_GDB_XSAVE_TAGS, 2),
	CONTROL("fiseg", 12, 4),
	CONTROL("fioff", 8, 4),
	CONTROL("foseg", 20, 4),
	CONTROL("fooff", 16, 4),
	CONTROL("fop", 6, 2),
};

static const struct uni_gdb_x86_register sse[] = {
	FROM_0_TO_15(XMM),
	KEPT("mxcsr", 4, 24, 4, "mxcsr_bits", "vector"),
};

static const struct uni_gdb_x86_register linux_only[] = {
	{"orig_rax", 8, UNI_GDB_ORIG_RAX, 0, 8, "int", "system"},
};

static const struct uni_gdb_x86_register segments[] = {
	WORD("fs_base", FS_BASE, "int"),
	WORD("gs_base", GS_BASE, "int"),
};

static const struct uni_gdb_x86_register pkeys[] = {
	KEPT("pkru", 4, UNI_XSAVE_PKRU, 4, "uint32", NULL),
};

static const struct uni_gdb_x86_register avx[] = {
	FROM_0_TO_15(YMM_HIGH),
};

static const struct uni_gdb_x86_register avx512[] = {
	FROM_16_TO_31(XMM_512), FROM_16_TO_31(YMM_HIGH_512), FROM_0_TO_7(MASK),
	FROM_0_TO_15(ZMM_HIGH), FROM_16_TO_31(ZMM_HIGH_512),
};

static const char core_types[] = "<flags id=\"eflags_bits\" size=\"4\">\n"
				 "<field name=\"CF\" start=\"0\" end=\"0\"/>\n"
				 "<field name=\"\" start=\"1\" end=\"1\"/>\n"
				 "<field name=\"PF\" start=\"2\" end=\"2\"/>\n"
				 "<field name=\"AF\" start=\"4\" end=\"4\"/>\n"
				 "<field name=\"ZF\" start=\"6\" end=\"6\"/>\n"
				 "<field name=\"SF\" start=\"7\" end=\"7\"/>\n"
				 "<field name=\"TF\" start=\"8\" end=\"8\"/>\n"
				 "<field name=\"IF\" start=\"9\" end=\"9\"/>\n"
				 "<field name=\"DF\" start=\"10\" end=\"10\"/>\n"
				 "<field name=\"OF\" start=\"11\" end=\"11\"/>\n"
				 "<field name=\"NT\" start=\"14\" end=\"14\"/>\n"
				 "<field name=\"RF\" start=\"16\" end=\"16\"/>\n"
				 "<field name=\"AC\" start=\"18\" end=\"18\"/>\n"
				 "<field name=\"ID\" start=\"21\" end=\"21\"/>\n"
				 "</flags>\n";

/* Names of types are a feature's own. */
#define VEC128                                                    \
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>\n" \
	"<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>\n" \
	"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>\n"     \
	"<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>\n"     \
	"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>\n"     \
	"<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>\n"     \
	"<union id=\"vec128\">\n"                                 \
	"<field name=\"v4_float\" type=\"v4f\"/>\n"               \
	"<field name=\"v2_double\" type=\"v2d\"/>\n"              \
	"<field name=\"v16_int8\" type=\"v16i8\"/>\n"             \
	"<field name=\"v8_int16\" type=\"v8i16\"/>\n"             \
	"<field name=\"v4_int32\" type=\"v4i32\"/>\n"             \
	"<field name=\"v2_int64\" type=\"v2i64\"/>\n"             \
	"<field name=\"uint128\" type=\"uint128\"/>\n"            \
	"</union>\n"

static const char sse_types[] = VEC128 "<flags id=\"mxcsr_bits\" size=\"4\">\n"
				       "<field name=\"IE\" start=\"0\" end=\"0\"/>\n"
				       "<field name=\"DE\" start=\"1\" end=\"1\"/>\n"
				       "<field name=\"ZE\" start=\"2\" end=\"2\"/>\n"
				       "<field name=\"OE\" start=\"3\" end=\"3\"/>\n"
				       "<field name=\"UE\" start=\"4\" end=\"4\"/>\n"
				       "<field name=\"PE\" start=\"5\" end=\"5\"/>\n"
				       "<field name=\"DAZ\" start=\"6\" end=\"6\"/>\n"
				       "<field name=\"IM\" start=\"7\" end=\"7\"/>\n"
				       "<field name=\"DM\" start=\"8\" end=\"8\"/>\n"
				       "<field name=\"ZM\" start=\"9\" end=\"9\"/>\n"
				       "<field name=\"OM\" start=\"10\" end=\"10\"/>\n"
				       "<field name=\"UM\" start=\"11\" end=\"11\"/>\n"
				       "<field name=\"PM\" start=\"12\" end=\"12\"/>\n"
				       "<field name=\"FZ\" start=\"15\" end=\"15\"/>\n"
				       "</flags>\n";

static const char avx512_types[] = VEC128 "<vector id=\"v2ui128\" type=\"uint128\" count=\"2\"/>\n";

/* gdb takes AVX-512 only beside AVX. */
const struct uni_gdb_x86_feature uni_gdb_x86_features[] = {
	{"org.gnu.gdb.i386.core", 0, core_types, core, COUNT(core)},
	{"org.gnu.gdb.i386.sse", 0, sse_types, sse, COUNT(sse)},
	{"org.gnu.gdb.i386.linux", 0, "", linux_only, COUNT(linux_only)},
	{"org.gnu.gdb.i386.segments", 0, "", segments, COUNT(segments)},
	{"org.gnu.gdb.i386.pkeys", UNI_XCR0_PKRU, "", pkeys, COUNT(pkeys)},
	{"org.gnu.gdb.i386.avx", UNI_XCR0_AVX, "", avx, COUNT(avx)},
	{"org.gnu.gdb.i386.avx512", UNI_XCR0_AVX | UNI_XCR0_AVX512, avx512_types, avx512,
	 COUNT(avx512)},
};
const unsigned uni_gdb_x86_feature_count = COUNT(uni_gdb_x86_features);
