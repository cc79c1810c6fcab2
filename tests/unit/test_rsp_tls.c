/* SPDX-License-Identifier: MIT */

#include "tests/unit/rsp_machine.h"

TestSuite(rsp_tls, .init = rsp_attach);

Test(rsp_tls, variables_have_addresses)
{
	rsp_expect("qGetTLSAddr:2,3f,0", "10023f");
	rsp_expect("qGetTLSAddr:p1.1,0,401000", "100100");
}

Test(rsp_tls, what_there_is_not_has_none)
{
	rsp_expect("qGetTLSAddr:2,40,0", "E02");
	rsp_expect("qGetTLSAddr:3,0,0", "E02");
	rsp_expect("qGetTLSAddr:0,0,0", "E16");
	rsp_expect("qGetTLSAddr:2", "E16");
}
