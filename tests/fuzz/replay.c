/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over files, or over all files of folders, without a fuzzer: what was found
 * once is looked at by every compiler.
 */
#include <dirent.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "target.h"

static unsigned int n_runs;

static void run_file(const char *path)
{
	FILE *file = fopen(path, "re");
	uint8_t *bytes;
	size_t size;
	struct stat st;

	if (!file || fstat(fileno(file), &st) < 0)
		err(EXIT_FAILURE, "%s", path);
	/* Of the exact size, such that a read past the end is seen. */
	size = (size_t)st.st_size;
	bytes = malloc(size ? size : 1);
	if (!bytes || fread(bytes, 1, size, file) != size)
		err(EXIT_FAILURE, "%s", path);
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	n_runs++;
}

static void run_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char file[4096];

	if (!dir)
		err(EXIT_FAILURE, "%s", path);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		run_file(file);
	}
	closedir(dir);
}

int main(int argc, char *argv[])
{
	struct stat st;

	for (int i = 1; i < argc; i++) {
		if (stat(argv[i], &st) < 0)
			err(EXIT_FAILURE, "%s", argv[i]);
		if (S_ISDIR(st.st_mode))
			run_folder(argv[i]);
		else
			run_file(argv[i]);
	}
	if (!n_runs)
		errx(EXIT_FAILURE, "nothing to run");
	printf("%u inputs\n", n_runs);
	return EXIT_SUCCESS;
}
