/* The C interface, used by a program in C11. Latencies are made up and nothing runs in the background, so
 * that every run is the same. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <adaptive/c.h>

#include "check.h"

/* Counts the lines of the log, by level. */
struct lines {
  int count[4];
  char latest[512];
};
static void count_line(void* data, adaptive_log_level level, const char* line) {
  struct lines* lines = data;
  ++lines->count[level];
  snprintf(lines->latest, sizeof lines->latest, "%s", line);
}

/* A selector whose runs repeat. */
static const char* audit = "c_interface.jsonl";
static adaptive_selector* make_selector(struct lines* lines) {
  adaptive_options* options = NULL;
  adaptive_selector* selector = NULL;
  CHECK_OK(adaptive_options_create(&options));
  CHECK_OK(adaptive_options_set_device(options, "Test Device 1", "1.0", NULL));
  CHECK_OK(adaptive_options_add_library(options, "kernels", "2.0"));
  CHECK_OK(adaptive_options_set_background(options, false));
  CHECK_OK(adaptive_options_set_use_environment(options, false));
  CHECK_OK(adaptive_options_set_seed(options, 7));
  CHECK_OK(adaptive_options_set_policy(options, "gaussian"));
  CHECK_OK(adaptive_options_set_learning(options, "timing_budget", 1.0));
  CHECK_OK(adaptive_options_set_learning(options, "samples_min", 3));
  CHECK_OK(adaptive_options_set_log(options, count_line, lines));
  CHECK_OK(adaptive_options_set_audit(options, audit, 0, 2));
  CHECK_OK(adaptive_selector_create(options, &selector));
  adaptive_options_destroy(options);
  return selector;
}

static adaptive_spec* make_spec(const char* name) {
  static const char* const types[] = {"float16", "float32"};
  static const char* const bits[] = {"2", "4", "8"};
  adaptive_spec* spec = NULL;
  CHECK_OK(adaptive_spec_create(name, &spec));
  CHECK_OK(adaptive_spec_add_size(spec, "m", 1.0, ADAPTIVE_ROUND_NONE));
  CHECK_OK(adaptive_spec_add_label(spec, "type", types, 2));
  CHECK_OK(adaptive_spec_add_label_set(spec, "bits", bits, 3));
  CHECK_OK(adaptive_spec_add_variant(spec, "plain"));
  CHECK_OK(adaptive_spec_set_numeric_class(spec, "exact"));
  CHECK_OK(adaptive_spec_add_variant(spec, "tiled"));
  CHECK_OK(adaptive_spec_set_integer(spec, "tile", 64));
  CHECK_OK(adaptive_spec_set_number(spec, "share", 0.5));
  CHECK_OK(adaptive_spec_set_boolean(spec, "staged", true));
  CHECK_OK(adaptive_spec_set_text(spec, "layout", "rows"));
  CHECK_OK(adaptive_spec_set_numeric_class(spec, "exact"));
  return spec;
}

/* Launches `calls` times as a program does: variant `fast` takes 1 ms, the others twice as long. */
static void launch(adaptive_operation* operation, const int64_t* key, size_t size, uint32_t fast, int calls) {
  for (int call = 0; call < calls; ++call) {
    const adaptive_decision decision = adaptive_operation_select(operation, key, size);
    const double noise = 1.0 + 0.01 * sin(call);
    if (decision.ticket != 0)
      adaptive_operation_record(operation, decision, (decision.variant == fast ? 1e6 : 2e6) * noise);
  }
}

/* Measures both variants as a tuner does, which is enough to promote the faster one. */
static void measure(adaptive_operation* operation, const int64_t* key, size_t size) {
  for (int i = 0; i < 20; ++i) {
    const double noise = 1.0 + 0.01 * sin(i);
    adaptive_operation_record_key(operation, key, size, 0, 2e6 * noise);
    adaptive_operation_record_key(operation, key, size, 1, 1e6 * noise);
  }
}

static uint64_t counter(const adaptive_operation* operation, const char* name) {
  uint64_t value = 0;
  CHECK_OK(adaptive_operation_counter(operation, name, &value));
  return value;
}

static void learns_and_saves(const char* path) {
  struct lines lines = {{0}, ""};
  adaptive_selector* selector = make_selector(&lines);
  adaptive_spec* spec = make_spec("op");
  adaptive_operation* operation = NULL;
  adaptive_operation* same = NULL;
  CHECK_OK(adaptive_selector_define(selector, spec, &operation));
  CHECK_OK(adaptive_selector_define(selector, spec, &same));
  adaptive_spec_destroy(spec);
  CHECK(operation == same && operation == adaptive_selector_find(selector, "op"));
  CHECK(adaptive_selector_find(selector, "other") == NULL);
  CHECK(adaptive_operation_variant_count(operation) == 2);

  const char* const labels[] = {"2", "8"};
  int64_t key[3] = {512, 0, 0};
  CHECK_OK(adaptive_operation_label(operation, "type", "float32", &key[1]));
  CHECK_OK(adaptive_operation_labels(operation, "bits", labels, 2, &key[2]));
  CHECK(key[1] == 1 && key[2] == 5);

  const adaptive_pin before = adaptive_operation_pin(operation, key, 3);
  CHECK(before.variant == 0 && !adaptive_pin_stale(before));
  CHECK(adaptive_pin_decision(before).variant == 0 && adaptive_pin_decision(before).ticket == 0);
  launch(operation, key, 3, 1, 200);
  measure(operation, key, 3);
  CHECK_OK(adaptive_selector_learn(selector));
  CHECK_OK(adaptive_selector_fit_predictions(selector));
  CHECK(adaptive_pin_stale(before));
  CHECK(adaptive_operation_pin(operation, key, 3).variant == 1);
  CHECK(counter(operation, "promotions") == 1 && adaptive_selector_epoch(selector) == 1);
  CHECK(counter(operation, "results") > 3 && counter(operation, "keys") == 1);
  CHECK(lines.count[ADAPTIVE_LOG_INFO] > 0 && strstr(lines.latest, "plain -> tiled") != NULL);

  adaptive_site* site = NULL;
  CHECK_OK(adaptive_site_create(operation, key, 3, &site));
  CHECK(adaptive_site_pin(site).variant == 1);
  CHECK_OK(adaptive_selector_set_mode(selector, ADAPTIVE_MODE_FROZEN));
  CHECK(adaptive_selector_mode(selector) == ADAPTIVE_MODE_FROZEN);
  CHECK(adaptive_site_select(site).variant == 1 && adaptive_site_select(site).ticket == 0);
  CHECK_OK(adaptive_selector_set_mode(selector, ADAPTIVE_MODE_OFF));
  CHECK(adaptive_site_select(site).variant == 0);
  CHECK_OK(adaptive_selector_set_mode(selector, ADAPTIVE_MODE_ONLINE));
  adaptive_site_destroy(site);

  char* text = NULL;
  CHECK_OK(adaptive_operation_explain(operation, key, 3, &text));
  CHECK(strstr(text, "m=512 type=float32 bits=2+8") != NULL && strstr(text, "tiled") != NULL);
  adaptive_free(text);
  uint32_t variant = 9;
  CHECK_OK(adaptive_operation_find_variant(operation, "tiled", &variant));
  CHECK(variant == 1);
  CHECK_OK(adaptive_operation_variant_name(operation, variant, &text));
  CHECK(strcmp(text, "tiled") == 0);
  adaptive_free(text);
  CHECK_OK(adaptive_selector_save(selector, path));
  adaptive_selector_destroy(selector);
}

/* Whether the audit file has a line with these words. */
static bool is_audited(const char* words) {
  FILE* file = fopen(audit, "r");
  char line[1024];
  bool found = false;
  while (file != NULL && fgets(line, sizeof line, file) != NULL) found = found || strstr(line, words) != NULL;
  if (file != NULL) fclose(file);
  return found;
}

static void starts_from_the_table(const char* path, const char* name) {
  struct lines lines = {{0}, ""};
  adaptive_selector* selector = make_selector(&lines);
  CHECK_OK(adaptive_selector_load(selector, path));
  adaptive_spec* spec = make_spec(name);
  adaptive_operation* operation = NULL;
  CHECK_OK(adaptive_selector_define(selector, spec, &operation));
  adaptive_spec_destroy(spec);
  const int64_t key[] = {512, 1, 5};
  CHECK(adaptive_operation_pin(operation, key, 3).variant == 1);

  adaptive_saver* saver = NULL;
  CHECK_OK(adaptive_saver_create(selector, path, 60000, &saver));
  adaptive_saver_request(saver);
  adaptive_saver_destroy(saver);
  CHECK(adaptive_saver_create(selector, path, 0, &saver) == ADAPTIVE_INVALID_ARGUMENT);
  CHECK(adaptive_saver_create(selector, path, UINT64_MAX, &saver) == ADAPTIVE_INVALID_ARGUMENT);
  adaptive_selector_destroy(selector);
}

static void is_controlled(void) {
  struct lines lines = {{0}, ""};
  adaptive_selector* selector = make_selector(&lines);
  adaptive_spec* spec = make_spec("op");
  adaptive_operation* operation = NULL;
  CHECK_OK(adaptive_selector_define(selector, spec, &operation));
  adaptive_spec_destroy(spec);
  const int64_t key[] = {64, 0, 1};

  adaptive_forced* forced = NULL;
  CHECK_OK(adaptive_operation_force(operation, "tiled", &forced));
  CHECK(adaptive_operation_select(operation, key, 3).variant == 1);
  CHECK(adaptive_operation_select(operation, key, 3).ticket == 0);
  adaptive_forced_destroy(forced);
  CHECK(adaptive_operation_force(operation, "unknown", &forced) == ADAPTIVE_NOT_FOUND);

  measure(operation, key, 3);
  CHECK(adaptive_operation_pin(operation, key, 3).variant == 1);
  CHECK_OK(adaptive_operation_enable(operation, "tiled", false));
  CHECK(adaptive_operation_pin(operation, key, 3).variant == 0);
  CHECK_OK(adaptive_operation_enable(operation, "tiled", true));
  CHECK(adaptive_operation_enable(operation, "plain", false) == ADAPTIVE_INVALID_ARGUMENT);

  CHECK_OK(adaptive_operation_reset_key(operation, key, 3));
  measure(operation, key, 3);
  CHECK(adaptive_operation_pin(operation, key, 3).variant == 1);
  adaptive_operation_fail(operation, adaptive_pin_decision(adaptive_operation_pin(operation, key, 3)));
  CHECK(adaptive_operation_pin(operation, key, 3).variant == 0 && counter(operation, "failures") == 1);
  CHECK_OK(adaptive_operation_reset(operation));

  const int64_t unseen[] = {65, 0, 1};
  CHECK(adaptive_operation_reset_key(operation, unseen, 3) == ADAPTIVE_NOT_FOUND);
  /* A key of the wrong size runs the default and is counted. */
  CHECK(adaptive_operation_select(operation, key, 2).variant == 0);
  const int64_t too_many[ADAPTIVE_KEY_CAPACITY + 4] = {0};
  CHECK(adaptive_operation_select(operation, too_many, ADAPTIVE_KEY_CAPACITY + 4).variant == 0);
  CHECK(counter(operation, "wrong_arity") == 2);
  adaptive_selector_destroy(selector);
}

static adaptive_selector* make_rank(adaptive_store* store, int rank, adaptive_operation** operation,
                                    adaptive_rank_epochs** epochs) {
  adaptive_options* options = NULL;
  adaptive_selector* selector = NULL;
  CHECK_OK(adaptive_options_create(&options));
  CHECK_OK(adaptive_options_set_device(options, "Test Device 1", "1.0", NULL));
  CHECK_OK(adaptive_options_add_library(options, "kernels", "2.0"));
  CHECK_OK(adaptive_options_set_background(options, false));
  CHECK_OK(adaptive_options_set_use_environment(options, false));
  CHECK_OK(adaptive_options_set_rank_consistent(options, true));
  CHECK_OK(adaptive_selector_create(options, &selector));
  adaptive_options_destroy(options);
  adaptive_spec* spec = make_spec("op");
  CHECK_OK(adaptive_selector_define(selector, spec, operation));
  adaptive_spec_destroy(spec);
  CHECK_OK(adaptive_rank_epochs_create(selector, store, "job", rank, 10, 0, epochs));
  CHECK(adaptive_rank_epochs_rank(*epochs) == rank);
  return selector;
}

/* The table in which `tiled` is the faster variant is announced by rank 0 and taken up by both. */
static void ranks_take_up_a_table(const char* path) {
  remove("c_interface_store/ranks-job/decisions.json");
  remove("c_interface_store/ranks-job/table-0.json");
  adaptive_selector* selectors[2];
  adaptive_operation* operations[2];
  adaptive_rank_epochs* epochs[2];
  for (int rank = 0; rank < 2; ++rank) {
    adaptive_store* store = NULL;
    CHECK_OK(adaptive_store_create("c_interface_store", &store));
    selectors[rank] = make_rank(store, rank, &operations[rank], &epochs[rank]);
    adaptive_store_destroy(store);
  }
  const int64_t key[] = {512, 1, 5};
  CHECK(adaptive_rank_epochs_step(epochs[1], 0, NULL) == ADAPTIVE_UNAVAILABLE);
  CHECK(adaptive_rank_epochs_announce(epochs[1], path) == ADAPTIVE_NOT_ALLOWED_NOW);
  for (uint64_t step = 0; step < 30; ++step) {
    for (int rank = 0; rank < 2; ++rank) {
      bool risen = false;
      CHECK_OK(adaptive_rank_epochs_step(epochs[rank], step, &risen));
      CHECK(risen == (step == 20));
      CHECK(adaptive_operation_select(operations[rank], key, 3).variant == (step < 20 ? 0u : 1u));
    }
    if (step == 5) CHECK_OK(adaptive_rank_epochs_announce(epochs[0], path));
  }
  CHECK(adaptive_rank_epochs_create(selectors[0], NULL, "job", 0, 10, 0, &epochs[0]) ==
        ADAPTIVE_INVALID_ARGUMENT);
  for (int rank = 0; rank < 2; ++rank) {
    adaptive_rank_epochs_destroy(epochs[rank]);
    adaptive_selector_destroy(selectors[rank]);
  }
  adaptive_rank_epochs_destroy(NULL);
}

/* What one selector has measured reaches the table of another through a store. */
static void savers_share(void) {
  const char* table = "c_interface_shared.json";
  remove(table);
  struct lines lines = {{0}, ""};
  for (int reads = 0; reads < 2; ++reads) {
    adaptive_store* store = NULL;
    adaptive_saver* saver = NULL;
    adaptive_operation* operation = NULL;
    adaptive_selector* selector = make_selector(&lines);
    adaptive_spec* spec = make_spec("shared");
    CHECK_OK(adaptive_selector_define(selector, spec, &operation));
    adaptive_spec_destroy(spec);
    const int64_t key[] = {512, 1, 5};
    CHECK_OK(adaptive_store_create("c_interface_store", &store));
    CHECK_OK(adaptive_saver_create_shared(selector, reads ? table : NULL, store, 60000, &saver));
    adaptive_store_destroy(store);
    if (!reads) measure(operation, key, 3);
    adaptive_saver_destroy(saver);
    adaptive_selector_destroy(selector);
  }
  starts_from_the_table(table, "shared");
}

/* What the functions of the program are asked. */
struct asked {
  int supports, cost, by_default, candidates;
};
static bool supports(void* data, uint32_t variant, const int64_t* key, size_t size) {
  ++((struct asked*)data)->supports;
  return variant != 2 || (size == 1 && key[0] % 64 == 0);
}
static double cost(void* data, uint32_t variant, const int64_t* key, size_t size) {
  ++((struct asked*)data)->cost;
  return size == 1 ? (double)key[0] * (variant + 1) : -1.0;
}
static uint32_t default_variant(void* data, const int64_t* key, size_t size) {
  ++((struct asked*)data)->by_default;
  return size == 1 && key[0] > 100 ? 1 : 0;
}
static size_t candidates(void* data, const int64_t* key, size_t size, uint32_t* variants, size_t capacity) {
  ++((struct asked*)data)->candidates;
  if (capacity != 3 || size != 1 || key[0] < 0) return capacity + 1; /* against the contract */
  variants[0] = 2;
  variants[1] = 0;
  return 2;
}

static adaptive_spec* three_variants(const char* name) {
  adaptive_spec* spec = NULL;
  CHECK_OK(adaptive_spec_create(name, &spec));
  CHECK_OK(adaptive_spec_add_linear(spec, "n", 1.0));
  CHECK_OK(adaptive_spec_add_variant(spec, "a"));
  CHECK_OK(adaptive_spec_add_variant(spec, "b"));
  CHECK_OK(adaptive_spec_add_variant(spec, "c"));
  CHECK_OK(adaptive_spec_set_mix_numeric_classes(spec, true));
  CHECK_OK(adaptive_spec_set_nearest_limit(spec, -1.0));
  CHECK_OK(adaptive_spec_set_max_keys(spec, 100));
  return spec;
}

static uint64_t memory(void* data, uint32_t variant, const int64_t* key, size_t size) {
  (void)data;
  (void)size;
  return variant * 100 * (uint64_t)key[0];
}

static void obeys_a_limit_of_memory(void) {
  adaptive_options* options = NULL;
  adaptive_selector* selector = NULL;
  CHECK_OK(adaptive_options_create(&options));
  CHECK_OK(adaptive_options_set_background(options, false));
  CHECK_OK(adaptive_options_set_use_environment(options, false));
  CHECK_OK(adaptive_selector_create(options, &selector));
  adaptive_options_destroy(options);
  adaptive_spec* spec = three_variants("limited");
  struct asked asked = {0};
  CHECK_OK(adaptive_spec_set_memory(spec, memory, NULL));
  CHECK_OK(adaptive_spec_set_default_variant(spec, default_variant, &asked));
  adaptive_operation* operation = NULL;
  CHECK_OK(adaptive_selector_define(selector, spec, &operation));
  adaptive_spec_destroy(spec);
  const int64_t key[] = {101};
  CHECK(adaptive_selector_memory_limit(selector) == UINT64_MAX);
  CHECK(adaptive_operation_pin(operation, key, 1).variant == 1); /* the key's default */
  CHECK_OK(adaptive_selector_set_memory_limit(selector, 100 * 101 - 1));
  CHECK(adaptive_selector_memory_limit(selector) == 100 * 101 - 1);
  CHECK(adaptive_operation_pin(operation, key, 1).variant == 0);
  adaptive_selector_destroy(selector);
}

static void asks_the_program(void) {
  struct lines lines = {{0}, ""};
  adaptive_options* options = NULL;
  adaptive_selector* selector = NULL;
  CHECK_OK(adaptive_options_create(&options)); /* the default policy asks for costs */
  CHECK_OK(adaptive_options_set_background(options, false));
  CHECK_OK(adaptive_options_set_use_environment(options, false));
  CHECK_OK(adaptive_options_set_log(options, count_line, &lines));
  CHECK_OK(adaptive_selector_create(options, &selector));
  adaptive_options_destroy(options);

  struct asked asked = {0};
  adaptive_spec* spec = three_variants("asked");
  CHECK_OK(adaptive_spec_set_supports(spec, supports, &asked));
  CHECK_OK(adaptive_spec_set_cost(spec, cost, &asked));
  CHECK_OK(adaptive_spec_set_default_variant(spec, default_variant, &asked));
  adaptive_operation* operation = NULL;
  CHECK_OK(adaptive_selector_define(selector, spec, &operation));
  adaptive_spec_destroy(spec);
  const int64_t odd[] = {101};
  const int64_t even[] = {128};
  CHECK(adaptive_operation_pin(operation, odd, 1).variant == 1); /* the key's default */
  char* text = NULL;
  CHECK_OK(adaptive_operation_explain(operation, odd, 1, &text));
  CHECK(strstr(text, "cannot run") != NULL || strstr(text, "unsupported") != NULL);
  adaptive_free(text);
  (void)adaptive_operation_select(operation, even, 1);
  CHECK(asked.supports > 0 && asked.cost > 0 && asked.by_default > 0);

  spec = three_variants("chosen");
  CHECK_OK(adaptive_spec_set_candidates(spec, candidates, &asked));
  CHECK_OK(adaptive_selector_define(selector, spec, &operation));
  adaptive_spec_destroy(spec);
  CHECK(adaptive_operation_pin(operation, even, 1).variant == 2); /* the best guess is the default */
  const int errors = lines.count[ADAPTIVE_LOG_ERROR];
  const int64_t negative[] = {-1};
  CHECK(adaptive_operation_select(operation, negative, 1).variant == 0);
  CHECK(lines.count[ADAPTIVE_LOG_ERROR] == errors + 1);
  adaptive_selector_destroy(selector);
}

static void reports_errors(void) {
  struct lines lines = {{0}, ""};
  adaptive_options* options = NULL;
  CHECK(adaptive_options_create(NULL) == ADAPTIVE_INVALID_ARGUMENT);
  CHECK(strstr(adaptive_last_error(), "adaptive_options_create") != NULL);
  CHECK_OK(adaptive_options_create(&options));
  CHECK(adaptive_options_set_mode(options, (adaptive_mode)5) == ADAPTIVE_INVALID_ARGUMENT);
  CHECK(adaptive_options_set_policy(options, "unknown") != ADAPTIVE_OK);
  CHECK(adaptive_options_add_tables(options, NULL) == ADAPTIVE_INVALID_ARGUMENT);
  CHECK(adaptive_options_set_learning(options, "unknown", 1.0) == ADAPTIVE_NOT_FOUND);
  CHECK(adaptive_options_set_learning(options, "samples_min", 1.5) == ADAPTIVE_INVALID_ARGUMENT);
  CHECK(adaptive_options_set_learning(options, "samples_min", -1) == ADAPTIVE_INVALID_ARGUMENT);
  CHECK(adaptive_options_set_learning(options, "candidates_max", 1e300) == ADAPTIVE_INVALID_ARGUMENT);
  CHECK(adaptive_options_set_learning(options, "objective", 3) == ADAPTIVE_INVALID_ARGUMENT);
  static const char* const members[] = {"objective",       "indifference",       "error",
                                        "samples_min",     "exploration_budget", "revalidation_budget",
                                        "timing_cost",     "timing_budget",      "prediction",
                                        "parameter_model", "candidates_max",     "result_patience"};
  for (size_t i = 0; i < sizeof members / sizeof *members; ++i)
    CHECK_OK(adaptive_options_set_learning(options, members[i], i == 1 || i == 2 ? 0.02 : 1.0));
  CHECK_OK(adaptive_options_set_learning(options, "error", 2.0)); /* the selector reports it */
  adaptive_selector* selector = NULL;
  CHECK(adaptive_selector_create(options, &selector) == ADAPTIVE_INVALID_ARGUMENT && selector == NULL);
  CHECK(strstr(adaptive_last_error(), "learning.error") != NULL);
  CHECK_OK(adaptive_options_set_rank_consistent(options, true));
  adaptive_options_destroy(options);
  adaptive_options_destroy(NULL);

  selector = make_selector(&lines);
  CHECK(adaptive_selector_load(selector, "no/such/table.json") == ADAPTIVE_NOT_FOUND);
  CHECK(strstr(adaptive_last_error(), "no/such/table.json") != NULL);
  CHECK(adaptive_selector_save(selector, "no/such/folder/table.json") != ADAPTIVE_OK);
  CHECK(adaptive_selector_advance_epoch(selector, "table.json") == ADAPTIVE_NOT_ALLOWED_NOW);
  adaptive_spec* spec = NULL;
  CHECK_OK(adaptive_spec_create("bad name!", &spec));
  CHECK(adaptive_spec_set_integer(spec, "tile", 1) == ADAPTIVE_NOT_ALLOWED_NOW);
  CHECK(adaptive_spec_add_size(spec, "m", 1.0, (adaptive_rounding)9) == ADAPTIVE_INVALID_ARGUMENT);
  adaptive_operation* operation = NULL;
  CHECK(adaptive_selector_define(selector, spec, &operation) == ADAPTIVE_INVALID_ARGUMENT);
  CHECK(operation == NULL);
  adaptive_spec_destroy(spec);

  spec = make_spec("op");
  CHECK_OK(adaptive_selector_define(selector, spec, &operation));
  CHECK_OK(adaptive_spec_add_variant(spec, "another"));
  CHECK(adaptive_selector_define(selector, spec, &operation) == ADAPTIVE_MISMATCH);
  adaptive_spec_destroy(spec);
  int64_t value = 0;
  uint64_t count = 0;
  CHECK(adaptive_operation_label(operation, "type", "int8", &value) == ADAPTIVE_NOT_FOUND);
  CHECK(adaptive_operation_counter(operation, "unknown", &count) == ADAPTIVE_NOT_FOUND);
  const int64_t key[] = {1, 2};
  char* text = NULL;
  CHECK(adaptive_operation_explain(operation, key, 2, &text) == ADAPTIVE_INVALID_ARGUMENT && text == NULL);
  CHECK(adaptive_operation_variant_name(operation, 7, &text) == ADAPTIVE_NOT_FOUND);
  adaptive_selector_destroy(selector);
  adaptive_selector_destroy(NULL);

  CHECK(strcmp(adaptive_status_name(ADAPTIVE_OK), "ok") == 0);
  CHECK(strcmp(adaptive_status_name(ADAPTIVE_NOT_ALLOWED_NOW), "not_allowed_now") == 0);
  CHECK(strcmp(adaptive_status_name(ADAPTIVE_OUT_OF_MEMORY), "out_of_memory") == 0);
  CHECK(strcmp(adaptive_status_name((adaptive_status)99), "unknown") == 0);
  CHECK(adaptive_abi_version() == ADAPTIVE_C_ABI_VERSION && strchr(adaptive_version(), '.') != NULL);
}

/* The text of an error belongs to its thread. */
static void* fail_in_a_thread(void* unused) {
  (void)unused;
  CHECK(strcmp(adaptive_last_error(), "") == 0);
  CHECK(adaptive_spec_create(NULL, NULL) == ADAPTIVE_INVALID_ARGUMENT);
  CHECK(strstr(adaptive_last_error(), "adaptive_spec_create") != NULL);
  return NULL;
}
static void keeps_errors_apart(void) {
  CHECK(adaptive_options_create(NULL) == ADAPTIVE_INVALID_ARGUMENT);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, fail_in_a_thread, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(strstr(adaptive_last_error(), "adaptive_options_create") != NULL);
}

int main(int argc, char** argv) {
  const char* path = argc > 1 ? argv[1] : "c_interface.json";
  remove(path);
  remove(audit);
  learns_and_saves(path);
  CHECK(is_audited("tiled is surely faster"));
  starts_from_the_table(path, "op");
  is_controlled();
  ranks_take_up_a_table(path);
  savers_share();
  asks_the_program();
  obeys_a_limit_of_memory();
  reports_errors();
  keeps_errors_apart();
  printf("%d failed\n", failures);
  return failures == 0 ? 0 : 1;
}
