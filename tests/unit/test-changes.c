/* SPDX-License-Identifier: MIT */
/*
 * Which new settings change limits, and whose.
 */
#include "test.h"

#include "changes.h"
#include "settings-from.h"

static bool shared(const char *before, const char *after)
{
	struct settings *a = settings_from(before), *b = settings_from(after);
	bool changed = changes_shared_limits(a, b);

	assert_int_equal(changes_shared_limits(b, a), changed);
	assert_false(changes_shared_limits(a, a));
	settings_free(a);
	settings_free(b);
	return changed;
}

static bool of_user(const char *before, const char *after, uid_t uid)
{
	const struct peer peer = {.pid = 1, .uid = uid, .gid = uid};
	struct settings *a = settings_from(before), *b = settings_from(after);
	bool changed = changes_limits_of_user(a, b, &peer);

	settings_free(a);
	settings_free(b);
	return changed;
}

static void nothing_changes(void **state)
{
	static const char *const texts[] = {
		"",
		"[Daemon]\nUserConnectionsMax=3\n",
		"[Daemon]\nAddressGroup=0\nWaitersMax=7\n",
		"[Device platform:camera]\nPool=camera\nCoherent=yes\n",
		"[Pool camera]\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(shared("", texts[i]));
		assert_false(of_user("", texts[i], 1000));
	}
}

static void limits_of_all_change(void **state)
{
	static const char *const texts[] = {
		"[Daemon]\nDeviceBytesMax=1M\n",
		"[Daemon]\nFairShare=no\n",
		"[Pool camera]\nBytesMax=50%\n",
		"[Pool camera]\nBytesMax=50\n",
		"[Pool camera]\nUserBytesMax=50\n",
		"[Pool area]\nUserBytesMax=50\n",
		"[Device *:camera]\nBuffersMax=1\n",
		"[Device platform:camera]\nBuffersMax=1\n",
		"[Device platform:camera]\nReserve=camera 4M\n",
		"[Device platform:camera]\nReserve=camera 5M\n",
		"[Device platform:camera]\nReserve=area 5M\n",
		"[Device platform:camera]\nReserve=camera 4M\nReserve=area 5M\n",
	};
	const size_t n = sizeof(texts) / sizeof(texts[0]);

	for (size_t i = 0; i < n; i++) {
		assert_true(shared("", texts[i]));
		assert_true(shared(texts[(i + 1) % n], texts[i]));
		assert_false(of_user("", texts[i], 1000));
	}
}

/* Sections that limit nothing, and the other sections of the file, are in nobody's way. */
static void other_sections_do_not_matter(void **state)
{
	assert_false(shared("[Pool camera]\nBytesMax=1M\n",
			    "[User 1000]\nBytesMax=1M\n[Pool area]\n[Pool camera]\nBytesMax=1M\n"));
	assert_true(shared("[Device *:a]\nBytesMax=1\n[Device x:*]\nBytesMax=2\n",
			   "[Device x:*]\nBytesMax=2\n[Device *:a]\nBytesMax=1\n"));
}

static void limits_of_a_user_change(void **state)
{
	assert_true(of_user("", "[Daemon]\nUserBytesMax=1M\n", 1000));
	assert_true(of_user("", "[Daemon]\nUserBuffersMax=1\n", 1000));
	assert_true(of_user("", "[User 1000]\nBuffersMax=1\n", 1000));
	assert_false(of_user("", "[User 1000]\nBuffersMax=1\n", 1001));
	assert_false(shared("", "[User 1000]\nBuffersMax=1\n"));
	/* It is the limit that counts, wherever it stands. */
	assert_false(of_user("[Daemon]\nUserBytesMax=1M\n", "[User 1000]\nBytesMax=1M\n", 1000));
}

static void limits_are_told(void **state)
{
	const struct peer peer = {.pid = 1, .uid = 1000, .gid = 1000};
	struct settings *settings =
		settings_from("[Daemon]\nUserBytesMax=1M\n[User 1000]\nBuffersMax=3\n");
	const struct claim limits = limits_of_user(settings, &peer);

	assert_int_equal(limits.bytes.max, 1 << 20);
	assert_int_equal(limits.buffers.max, 3);
	settings_free(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_changes),
		cmocka_unit_test(limits_of_all_change),
		cmocka_unit_test(other_sections_do_not_matter),
		cmocka_unit_test(limits_of_a_user_change),
		cmocka_unit_test(limits_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
