/* SPDX-License-Identifier: MIT */
/*
 * The fixture of tests of the plugin: GStreamer with the plugin loaded, a fake daemon, and a check
 * that no descriptor is left afterwards.
 */
#ifndef GST_FIXTURE_H
#define GST_FIXTURE_H

#include "test.h"

#include <gst/check/gstharness.h>

#include "fake-daemon.h"

struct fixture {
	struct fake_daemon *daemon;
	int n_open;
};

int fixture_group_setup(void **state);
int fixture_group_teardown(void **state);
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Runs all tests of a program, each in a fixture. */
#define FIXTURE_TEST(function)                                                                     \
	cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

/* A reply for each request: refuses, and tells what was asked for. */
bool fixture_tell(int fd, struct wire_frame *request);
/* A reply for each request: refuses for want of quota. */
bool fixture_refuse(int fd, struct wire_frame *request);
#define FIXTURE_REFUSAL "alice has 3 MiB of 3 MiB"

/* So many descriptors are; threads of GStreamer's that are done may take a moment to end. */
void assert_open(int n);

/* Is it the error that an element posts, with this code and these words? */
void assert_refused(GstMessage *message, GstResourceError code, const char *words);

#endif
