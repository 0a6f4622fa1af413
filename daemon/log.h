/* SPDX-License-Identifier: MIT */
/*
 * Lines for the journal, on standard error with the priority in front. Only main, manager and
 * client log; everything below returns a negative errno to them.
 */
#ifndef LOG_H
#define LOG_H

#include <stdio.h>
#include <systemd/sd-daemon.h>

#define log_error(...) log_line(SD_ERR, __VA_ARGS__)
#define log_warning(...) log_line(SD_WARNING, __VA_ARGS__)
#define log_info(...) log_line(SD_INFO, __VA_ARGS__)
#define log_line(priority, format, ...) fprintf(stderr, priority format "\n", ##__VA_ARGS__)

#endif
