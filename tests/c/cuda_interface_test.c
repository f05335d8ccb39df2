/* The C interface for launches on GPUs. It also holds where there is no GPU: launches are then untimed. */
#include <stdio.h>
#include <string.h>

#include <adaptive/cuda/c.h>

#include "check.h"

static void count_line(void* data, adaptive_log_level level, const char* line) {
  (void)level;
  (void)line;
  ++*(int*)data;
}

int main(void) {
  int lines = 0;
  adaptive_options* options = NULL;
  CHECK_OK(adaptive_options_create(&options));
  CHECK_OK(adaptive_options_set_background(options, false));
  CHECK_OK(adaptive_options_set_use_environment(options, false));
  const bool has_device = adaptive_options_set_cuda_device(options, 0) == ADAPTIVE_OK;
  CHECK(adaptive_options_set_cuda_device(options, 9999) != ADAPTIVE_OK);
  CHECK(strlen(adaptive_last_error()) > 0);
  CHECK(adaptive_options_set_cuda_device(NULL, 0) == ADAPTIVE_INVALID_ARGUMENT);
  adaptive_selector* selector = NULL;
  CHECK_OK(adaptive_selector_create(options, &selector));
  adaptive_options_destroy(options);

  adaptive_spec* spec = NULL;
  CHECK_OK(adaptive_spec_create("gemm", &spec));
  CHECK_OK(adaptive_spec_add_size(spec, "m", 1.0, ADAPTIVE_ROUND_NONE));
  CHECK_OK(adaptive_spec_add_variant(spec, "plain"));
  CHECK_OK(adaptive_spec_add_variant(spec, "tiled"));
  adaptive_operation* gemm = NULL;
  CHECK_OK(adaptive_selector_define(selector, spec, &gemm));
  adaptive_spec_destroy(spec);

  adaptive_cuda_timer* timer = NULL;
  CHECK(adaptive_cuda_timer_create((adaptive_cuda_timing)2, NULL, NULL, &timer) == ADAPTIVE_INVALID_ARGUMENT);
  CHECK_OK(adaptive_cuda_timer_create(ADAPTIVE_CUDA_TIMING_EVENTS, count_line, &lines, &timer));
  const int64_t key[] = {512};
  adaptive_site* site = NULL;
  CHECK_OK(adaptive_site_create(gemm, key, 1, &site));
  for (int call = 0; call < 20; ++call) {
    adaptive_cuda_launch launch;
    if (call % 2 == 0)
      adaptive_cuda_timer_launch(timer, gemm, key, 1, NULL, &launch);
    else
      adaptive_cuda_timer_launch_site(timer, site, NULL, &launch);
    CHECK(launch.variant < 2 && !launch.captured && launch.stream != NULL);
    CHECK(!adaptive_pin_stale(adaptive_cuda_launch_pin(&launch)));
    CHECK(adaptive_cuda_launch_check(&launch, 0) == 0);
    if (call % 4 == 0) adaptive_cuda_launch_cancel(&launch);
    if (call % 4 == 0) CHECK(!launch.timed);
    adaptive_cuda_launch_end(&launch);
    CHECK(!launch.timed);
  }
  CHECK(has_device ? adaptive_cuda_timer_drain(timer) : true);
  (void)adaptive_cuda_timer_poll(timer);

  /* A launch that failed sets its variant aside. */
  adaptive_cuda_launch launch;
  adaptive_cuda_timer_launch(timer, gemm, key, 1, NULL, &launch);
  CHECK(adaptive_cuda_launch_check(&launch, 1) == 1);
  adaptive_cuda_launch_end(&launch);
  uint64_t failed = 0;
  CHECK_OK(adaptive_operation_counter(gemm, "failures", &failed));
  CHECK(failed == 1);

  adaptive_site_destroy(site);
  adaptive_cuda_timer_destroy(timer);
  adaptive_selector_destroy(selector);
  printf("%d failed%s\n", failures, has_device ? "" : "; no GPU");
  return failures == 0 ? 0 : 1;
}
