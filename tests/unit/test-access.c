/* SPDX-License-Identifier: MIT */
/*
 * Access to a node by mode and ACL, on files in a temporary folder. Where this may become another
 * user, the kernel's own answer is compared.
 */
#include <acl/libacl.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/acl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "access.h"

/* Users and groups that are nobody's on any sane machine. */
enum {
	OWNER = 61001,
	OTHER = 61002,
	GROUP = 62001,
	OTHER_GROUP = 62002,
	THIRD_GROUP = 62003
};

static char folder[] = "/tmp/test-access-XXXXXX";
static char node[64];

static int make_file(void **state)
{
	int fd;

	if (!mkdtemp(folder) || chmod(folder, 0755) < 0)
		return -1;
	snprintf(node, sizeof(node), "%s/node", folder);
	fd = open(node, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	unlink(node);
	return rmdir(folder);
}

/* What the kernel says to a process with these credentials. */
static int ask_kernel(const struct peer *peer)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int fd;

		if (setgroups(peer->n_groups, peer->groups) < 0 ||
		    setresgid(peer->gid, peer->gid, peer->gid) < 0 ||
		    setresuid(peer->uid, peer->uid, peer->uid) < 0)
			_exit(100);
		fd = open(node, O_RDWR | O_CLOEXEC);
		_exit(fd >= 0 ? 0 : errno == EACCES ? 1 : 101);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) ? -EACCES : 0;
}

static void check(uid_t uid, gid_t gid, gid_t supplementary, int expected)
{
	gid_t groups[] = {THIRD_GROUP, supplementary};
	const struct peer peer = {.uid = uid, .gid = gid, .n_groups = 2, .groups = groups};
	struct stat st;

	assert_int_equal(stat(node, &st), 0);
	assert_int_equal(access_check(&peer, node, &st), expected);
	if (geteuid() == 0)
		assert_int_equal(ask_kernel(&peer), expected);
}

static void set(mode_t mode, const char *text)
{
	acl_t acl = text ? acl_from_text(text) : NULL;

	assert_int_equal(chown(node, OWNER, GROUP), 0);
	if (acl) {
		if (acl_set_file(node, ACL_TYPE_ACCESS, acl) < 0) {
			acl_free(acl);
			assert_int_equal(errno, EOPNOTSUPP);
			fputs("skipped: the file system of /tmp has no ACLs\n", stderr);
			skip();
		}
		acl_free(acl);
		return;
	}
	/* Without an ACL from the test before. */
	acl = acl_from_mode(mode);
	assert_true(acl_set_file(node, ACL_TYPE_ACCESS, acl) == 0 || errno == EOPNOTSUPP);
	acl_free(acl);
	assert_int_equal(chmod(node, mode), 0);
}

static void by_mode(void **state)
{
	set(0660, NULL);
	check(OWNER, OTHER_GROUP, OTHER_GROUP, 0);
	check(OTHER, GROUP, OTHER_GROUP, 0);
	check(OTHER, OTHER_GROUP, GROUP, 0);
	check(OTHER, OTHER_GROUP, OTHER_GROUP, -EACCES);
	check(0, OTHER_GROUP, OTHER_GROUP, 0);
	set(0666, NULL);
	check(OTHER, OTHER_GROUP, OTHER_GROUP, 0);
	set(0000, NULL);
	check(OWNER, GROUP, GROUP, -EACCES);
	check(0, 0, 0, 0);
}

/* Reading alone, or writing alone, is not enough; and classes do not add up. */
static void both_rights(void **state)
{
	set(0640, NULL);
	check(OTHER, GROUP, OTHER_GROUP, -EACCES);
	set(0620, NULL);
	check(OTHER, GROUP, OTHER_GROUP, -EACCES);
	set(0466, NULL);
	check(OWNER, GROUP, OTHER_GROUP, -EACCES);
	set(0606, NULL);
	check(OTHER, GROUP, OTHER_GROUP, -EACCES);
	check(OTHER, OTHER_GROUP, OTHER_GROUP, 0);
}

static void named_users(void **state)
{
	set(0, "u::rw,g::-,o::-,u:61002:rw,m::rw");
	check(OTHER, OTHER_GROUP, OTHER_GROUP, 0);
	check(61003, OTHER_GROUP, OTHER_GROUP, -EACCES);
	/* The mask takes away; from the owner it does not. */
	set(0, "u::rw,g::rw,o::-,u:61002:rw,m::r");
	check(OTHER, OTHER_GROUP, OTHER_GROUP, -EACCES);
	check(61003, GROUP, OTHER_GROUP, -EACCES);
	check(OWNER, OTHER_GROUP, OTHER_GROUP, 0);
	/* A named user is judged by the entry, not by group or other. */
	set(0, "u::rw,g::rw,o::rw,u:61002:-,m::rw");
	check(OTHER, GROUP, GROUP, -EACCES);
	/* Nor is the owner judged by an entry with the same name. */
	set(0, "u::r,g::rw,o::rw,u:61001:rw,m::rw");
	check(OWNER, GROUP, GROUP, -EACCES);
}

static void named_groups(void **state)
{
	set(0, "u::rw,g::r,o::-,g:62002:rw,m::rw");
	check(OTHER, GROUP, THIRD_GROUP, -EACCES);
	check(OTHER, OTHER_GROUP, THIRD_GROUP, 0);
	check(OTHER, GROUP, OTHER_GROUP, 0);
	/* A matching group that refuses keeps the peer from "other". */
	set(0, "u::rw,g::rw,o::rw,g:62002:-,m::rw");
	check(OTHER, OTHER_GROUP, THIRD_GROUP, -EACCES);
	check(OTHER, 62009, 62010, 0);
	/* One entry must have both rights: two halves are no whole. */
	set(0, "u::rw,g::r,o::-,g:62002:w,m::rw");
	check(OTHER, GROUP, OTHER_GROUP, -EACCES);
}

static void no_groups_at_all(void **state)
{
	const struct peer peer = {.uid = OTHER, .gid = OTHER_GROUP};
	struct stat st;

	set(0660, NULL);
	assert_int_equal(stat(node, &st), 0);
	assert_int_equal(access_check(&peer, node, &st), -EACCES);
	assert_int_equal(access_check(&peer, "/nonexistent/node", &st), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_mode),          cmocka_unit_test(both_rights),
		cmocka_unit_test(named_users),      cmocka_unit_test(named_groups),
		cmocka_unit_test(no_groups_at_all),
	};

	/* cmocka's own way to skip says "not ok". */
	if (geteuid() != 0) {
		puts("1..0 # SKIP only root can give files away");
		return 0;
	}
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
