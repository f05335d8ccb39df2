/* Checks of the programs in C: a check that fails prints its place and is counted. */
#ifndef ADAPTIVE_TESTS_C_CHECK_H
#define ADAPTIVE_TESTS_C_CHECK_H

#include <stdio.h>

#include <adaptive/c.h>

static int failures = 0;

static void report(const char* file, int line, const char* what) {
  fprintf(stderr, "%s:%d: not true: %s (latest error: %s)\n", file, line, what, adaptive_last_error());
  ++failures;
}

#define CHECK(condition) ((condition) ? (void)0 : report(__FILE__, __LINE__, #condition))
#define CHECK_OK(call) CHECK((call) == ADAPTIVE_OK)

#endif
