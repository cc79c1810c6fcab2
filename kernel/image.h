/* SPDX-License-Identifier: MIT */
#pragma once

/* The bounds of the image, from kernel.ld. Addresses only: take them with &. */

extern const char kernel_image_start[], kernel_image_end[];
extern const char kernel_text_start[], kernel_text_end[];
extern const char kernel_stub_text_start[], kernel_stub_text_end[]; /* see debug_stop.c */
extern const char kernel_data_start[];
extern const char kernel_build_id[], kernel_build_id_end[]; /* the whole ELF note */
