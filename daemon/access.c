/* SPDX-License-Identifier: MIT */
/*
 * May a peer open a device node for reading and writing? The order of the rules is that of
 * acl(5), "Access check algorithm".
 */
#include "access.h"

#include <acl/libacl.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/acl.h>

#include "cleanup.h"

static void acl_freep(acl_t *acl)
{
	if (*acl)
		acl_free(*acl);
}

static void qualifier_freep(void **qualifier)
{
	if (*qualifier)
		acl_free(*qualifier);
}

/* What the entries say about one peer. */
struct judgement {
	bool owner_matches, owner;
	bool user_matches, user;
	bool group_matches, group;
	bool other;
	bool mask; /* of user and group entries; true when there is none */
};

static int entry_allows(acl_entry_t entry, bool *ret)
{
	acl_permset_t set;
	int r, w;

	if (acl_get_permset(entry, &set) < 0)
		return -errno;
	r = acl_get_perm(set, ACL_READ);
	w = acl_get_perm(set, ACL_WRITE);
	if (r < 0 || w < 0)
		return -errno;
	*ret = r && w;
	return 0;
}

static int judge_named(const struct peer *peer, acl_entry_t entry, bool is_user, bool allows,
		       struct judgement *j)
{
	_cleanup_(qualifier_freep) void *qualifier = acl_get_qualifier(entry);

	if (!qualifier)
		return -errno;
	if (is_user && *(uid_t *)qualifier == peer->uid) {
		j->user_matches = true;
		j->user = allows;
	} else if (!is_user && peer_is_in_group(peer, *(gid_t *)qualifier)) {
		j->group_matches = true;
		j->group |= allows;
	}
	return 0;
}

static int judge_entry(const struct peer *peer, const struct stat *st, acl_entry_t entry,
		       struct judgement *j)
{
	acl_tag_t tag;
	bool allows = false;
	int r;

	if (acl_get_tag_type(entry, &tag) < 0)
		return -errno;
	r = entry_allows(entry, &allows);
	if (r < 0)
		return r;
	switch (tag) {
	case ACL_USER_OBJ:
		j->owner_matches = peer->uid == st->st_uid;
		j->owner = allows;
		return 0;
	case ACL_GROUP_OBJ:
		if (peer_is_in_group(peer, st->st_gid)) {
			j->group_matches = true;
			j->group |= allows;
		}
		return 0;
	case ACL_MASK:
		j->mask = allows;
		return 0;
	case ACL_OTHER:
		j->other = allows;
		return 0;
	default:
		return judge_named(peer, entry, tag == ACL_USER, allows, j);
	}
}

static bool judgement_allows(const struct judgement *j)
{
	if (j->owner_matches)
		return j->owner;
	if (j->user_matches)
		return j->user && j->mask;
	if (j->group_matches)
		return j->group && j->mask;
	return j->other;
}

int access_check(const struct peer *peer, const char *node, const struct stat *st)
{
	_cleanup_(acl_freep) acl_t acl = NULL;
	struct judgement j = {.mask = true};
	acl_entry_t entry;
	int r;

	if (peer->uid == 0)
		return 0;
	acl = acl_get_file(node, ACL_TYPE_ACCESS);
	/* A file system without ACLs: the mode says it all. */
	if (!acl && errno == EOPNOTSUPP)
		acl = acl_from_mode(st->st_mode);
	if (!acl)
		return -errno;

	for (r = acl_get_entry(acl, ACL_FIRST_ENTRY, &entry); r > 0;
	     r = acl_get_entry(acl, ACL_NEXT_ENTRY, &entry)) {
		int k = judge_entry(peer, st, entry, &j);

		if (k < 0)
			return k;
	}
	if (r < 0)
		return -errno;
	return judgement_allows(&j) ? 0 : -EACCES;
}
