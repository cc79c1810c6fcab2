/* SPDX-License-Identifier: MIT */
#pragma once

/* What an application defines. Runs as thread "main", after drivers, tracing, probe and stub came
 * up; when it returns the guest is powered off. The value is printed where it is not 0. */
int app_main(void);
