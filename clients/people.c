/* SPDX-License-Identifier: MIT */
/*
 * Names for numbers. Knows /proc and the user database, and nothing of memory.
 */
#include "people.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

const char *user_name(unsigned int uid, char name[static PEOPLE_NAME_MAX])
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(name, PEOPLE_NAME_MAX, "%s", user->pw_name);
	else
		snprintf(name, PEOPLE_NAME_MAX, "%u", uid);
	return name;
}

bool program_name(int pid, char name[static PEOPLE_NAME_MAX])
{
	char path[32];
	FILE *file;
	bool known;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	known = fgets(name, PEOPLE_NAME_MAX, file);
	fclose(file);
	if (!known)
		return false;
	name[strcspn(name, "\n")] = '\0';
	return true;
}
