/* The C interface: two ways to transpose a matrix, chosen for each shape while the program runs.
 *
 *     cc -std=c11 13_c_interface.c $(pkg-config --cflags --libs adaptive-c) -o transpose && ./transpose
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <adaptive/c.h>

struct problem {
  size_t rows, columns;
  float *from, *to;
};

static void by_rows(struct problem* p) {
  for (size_t i = 0; i < p->rows; ++i)
    for (size_t j = 0; j < p->columns; ++j) p->to[j * p->rows + i] = p->from[i * p->columns + j];
}

static void by_tiles(struct problem* p) {
  const size_t tile = 32;
  for (size_t i0 = 0; i0 < p->rows; i0 += tile)
    for (size_t j0 = 0; j0 < p->columns; j0 += tile)
      for (size_t i = i0; i < i0 + tile; ++i)
        for (size_t j = j0; j < j0 + tile; ++j) p->to[j * p->rows + i] = p->from[i * p->columns + j];
}

/* The tiled variant needs whole tiles. */
static bool supports(void* data, uint32_t variant, const int64_t* key, size_t size) {
  (void)data;
  return variant == 0 || (size == 2 && key[0] % 32 == 0 && key[1] % 32 == 0);
}

static double now_ns(void) {
  struct timespec now;
  timespec_get(&now, TIME_UTC);
  return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

/* Set-up reports errors by their codes; the text is for people. */
static void check(adaptive_status status) {
  if (status == ADAPTIVE_OK) return;
  fprintf(stderr, "%s: %s\n", adaptive_status_name(status), adaptive_last_error());
  exit(1);
}

static adaptive_operation* define(adaptive_selector* selector) {
  adaptive_spec* spec;
  check(adaptive_spec_create("transpose", &spec));
  check(adaptive_spec_add_size(spec, "rows", 1.0, ADAPTIVE_ROUND_NONE));
  check(adaptive_spec_add_size(spec, "columns", 1.0, ADAPTIVE_ROUND_NONE));
  check(adaptive_spec_add_variant(spec, "by_rows")); /* the first variant is the default */
  check(adaptive_spec_add_variant(spec, "by_tiles"));
  check(adaptive_spec_set_integer(spec, "tile", 32));
  check(adaptive_spec_set_supports(spec, supports, NULL));
  adaptive_operation* transpose;
  check(adaptive_selector_define(selector, spec, &transpose));
  adaptive_spec_destroy(spec);
  return transpose;
}

static void run(adaptive_operation* transpose, size_t rows, size_t columns) {
  void (*const kernels[])(struct problem*) = {by_rows, by_tiles}; /* in the order of the variants */
  struct problem problem = {rows, columns, calloc(rows * columns, sizeof(float)),
                            calloc(rows * columns, sizeof(float))};
  if (problem.from == NULL || problem.to == NULL) exit(1);
  const int64_t key[] = {(int64_t)rows, (int64_t)columns};
  for (int call = 0; call < 500; ++call) {
    const adaptive_decision decision = adaptive_operation_select(transpose, key, 2);
    if (decision.ticket == 0) { /* no latency is needed, as in most calls of a well-known shape */
      kernels[decision.variant](&problem);
      continue;
    }
    const double begin = now_ns();
    kernels[decision.variant](&problem);
    adaptive_operation_record(transpose, decision, now_ns() - begin);
  }
  char* text;
  check(adaptive_operation_explain(transpose, key, 2, &text));
  printf("%s\n", text);
  adaptive_free(text);
  free(problem.from);
  free(problem.to);
}

int main(void) {
  adaptive_options* options;
  check(adaptive_options_create(&options));
  check(adaptive_options_use_standard_tables(options, NULL));
  adaptive_selector* selector;
  check(adaptive_selector_create(options, &selector));
  adaptive_options_destroy(options);

  adaptive_operation* transpose = define(selector);
  run(transpose, 1024, 1024);
  run(transpose, 1000, 1000); /* only one variant can run it */

  const int64_t key[] = {1024, 1024};
  const adaptive_pin pin = adaptive_operation_pin(transpose, key, 2);
  char* name;
  check(adaptive_operation_variant_name(transpose, pin.variant, &name));
  printf("work prepared now uses %s; stale: %s\n", name, adaptive_pin_stale(pin) ? "yes" : "no");
  adaptive_free(name);

  check(adaptive_selector_save(selector, "c_interface.json")); /* the next run can start from this table */
  printf("saved c_interface.json with adaptive %s\n", adaptive_version());
  adaptive_selector_destroy(selector);
  return 0;
}
