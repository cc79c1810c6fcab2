/* SPDX-License-Identifier: MIT */
/*
 * Gives the terminal back when the program dies of a fault (SIGSEGV and its like, abort()): leaves
 * the alternate screen, shows the cursor, turns the mouse off, restores the line settings, and lets
 * the signal do its work. Faults only: other signals end the program in order.
 */
#pragma once

/* Remembers the line settings; before anything changes them. */
void rescue_save_terminal(void);

/* After the terminal description is loaded and the screen is taken. */
void rescue_arm(void);
void rescue_disarm(void);
