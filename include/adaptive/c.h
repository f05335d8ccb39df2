/* The C interface of adaptive: picks the fastest variant of a kernel at run time and keeps learning.
 *
 * For programs in C, and for other languages through their foreign function interfaces. C++ programs include
 * <adaptive/adaptive.hpp>; the words used here are explained there and in docs/c.md. Launches on NVIDIA GPUs
 * are in <adaptive/cuda/c.h>, sharing through a Redis server is in <adaptive/redis/c.h>.
 *
 *     adaptive_selector* selector;
 *     adaptive_selector_create(NULL, &selector);
 *
 *     adaptive_spec* spec;
 *     adaptive_spec_create("transpose", &spec);
 *     adaptive_spec_add_size(spec, "rows", 1.0, ADAPTIVE_ROUND_NONE);
 *     adaptive_spec_add_size(spec, "columns", 1.0, ADAPTIVE_ROUND_NONE);
 *     adaptive_spec_add_variant(spec, "by_rows");            // the first variant is the default
 *     adaptive_spec_add_variant(spec, "by_tiles");
 *     adaptive_spec_set_integer(spec, "tile", 32);
 *     adaptive_operation* transpose;
 *     adaptive_selector_define(selector, spec, &transpose);
 *     adaptive_spec_destroy(spec);
 *
 *     const int64_t key[] = {rows, columns};
 *     adaptive_decision decision = adaptive_operation_select(transpose, key, 2);
 *     uint64_t begin = now_ns();
 *     kernels[decision.variant](problem);
 *     adaptive_operation_record(transpose, decision, (double)(now_ns() - begin));
 *
 *     adaptive_selector_save(selector, "adapted.json");      // the table to ship next time
 *     adaptive_selector_destroy(selector);
 *
 * Errors. Functions that set something up or touch files return an `adaptive_status`. If it is not
 * ADAPTIVE_OK, the outputs are unchanged and `adaptive_last_error` has the text. A null pointer where an
 * object, a name or an output is expected gives ADAPTIVE_INVALID_ARGUMENT. The functions of the launch path
 * (`adaptive_operation_select`, `record`, `fail`, `pin` and those of sites) cannot fail: on any trouble they
 * use the default variant, count the trouble (`adaptive_operation_counter`) and log it once. Their pointers
 * must be valid, as must those of other functions that return a value. No C++ exception leaves a function of
 * this interface.
 *
 * Ownership. What a `_create` function or `adaptive_operation_force` has made belongs to the caller, who
 * passes it to the `_destroy` function of its type; passing NULL there has no effect. Operations belong to
 * their selector and are valid as long as the selector. Decisions and pins are plain values; they, sites and
 * forced objects must not be used after the selector is destroyed; savers and epochs of ranks must be
 * destroyed before it.
 * Strings that the caller passes in are copied. A string that is returned through a `char**` is freed with
 * `adaptive_free`; one that is returned as `const char*` belongs to the library.
 *
 * Threads. Selectors, operations, sites and savers may be used by any number of threads at a time. Options,
 * specifications and stores are used by one thread at a time, and may be destroyed once they have been used.
 *
 * Units. Latencies are in nanoseconds, as `double`. Text is UTF-8 and ends with a null byte.
 *
 * Binary interface. Names, types and values in this header do not change within one ABI version
 * (`adaptive_abi_version`); releases may add functions.
 */
#ifndef ADAPTIVE_C_H
#define ADAPTIVE_C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define ADAPTIVE_C_EXPORT __attribute__((visibility("default")))
#else
#define ADAPTIVE_C_EXPORT
#endif

/* In C++ an enumeration without a type of its own could not even hold a wrong number. */
#ifdef __cplusplus
#define ADAPTIVE_C_INT : int
#define ADAPTIVE_C_NOEXCEPT noexcept
extern "C" {
#else
#define ADAPTIVE_C_INT
#define ADAPTIVE_C_NOEXCEPT
#endif

/* The version of this interface; see `adaptive_abi_version`. */
#define ADAPTIVE_C_ABI_VERSION 1

/* The largest number of values in a key. */
#define ADAPTIVE_KEY_CAPACITY 12

/* --- errors ------------------------------------------------------------------------------------------- */

/* What kind of trouble a call had. The list is closed, as `adaptive::ErrorCode` is. */
typedef enum adaptive_status ADAPTIVE_C_INT {
  ADAPTIVE_OK = 0,
  ADAPTIVE_INVALID_ARGUMENT = 1, /* a value, name or option is not allowed; correct the call */
  ADAPTIVE_NOT_FOUND = 2,        /* no file, device, operation, variant, dimension or label of that name */
  ADAPTIVE_UNSUPPORTED = 3,      /* this build or machine cannot do it, or a file has an unknown version */
  ADAPTIVE_MISMATCH = 4,         /* both parts are valid but do not belong together */
  ADAPTIVE_CORRUPT = 5,          /* the content of a file or of a store cannot be what it claims to be */
  ADAPTIVE_LOCKED = 6,           /* another process held the file for too long; try again */
  ADAPTIVE_FULL = 7,             /* a disk or a quota has no room left */
  ADAPTIVE_TOO_LARGE = 8,        /* the input exceeds a documented limit */
  ADAPTIVE_DENIED = 9,           /* the operating system does not permit it */
  ADAPTIVE_UNAVAILABLE = 10,     /* a server cannot be reached or did not answer properly; try again later */
  ADAPTIVE_NOT_ALLOWED_NOW = 11, /* valid, but not in the present state or from this place */
  ADAPTIVE_IO = 12,              /* the operating system failed to read or write for any other reason */
  ADAPTIVE_FAILED = 13,          /* a device, a kernel or a function of the program failed */
  ADAPTIVE_OUT_OF_MEMORY = 14    /* memory is short */
} adaptive_status;

/* The name of a status in lower case, such as "not_found"; "unknown" for any other number. Thread-safe. */
ADAPTIVE_C_EXPORT const char* adaptive_status_name(adaptive_status status) ADAPTIVE_C_NOEXCEPT;

/* What went wrong in the calling thread's latest call that did not return ADAPTIVE_OK, as "where: problem;
 * remedy", for people; empty if there was none. Valid until the thread's next call that fails. */
ADAPTIVE_C_EXPORT const char* adaptive_last_error(void) ADAPTIVE_C_NOEXCEPT;

/* The version of the library that is running, "major.minor.patch". */
ADAPTIVE_C_EXPORT const char* adaptive_version(void) ADAPTIVE_C_NOEXCEPT;

/* The ADAPTIVE_C_ABI_VERSION of the library that is running. A program that loads the library at run time
 * must not use it if this differs from the number that the program was written for. */
ADAPTIVE_C_EXPORT int adaptive_abi_version(void) ADAPTIVE_C_NOEXCEPT;

/* Frees a string that a function has returned through a `char**`. NULL has no effect. */
ADAPTIVE_C_EXPORT void adaptive_free(char* text) ADAPTIVE_C_NOEXCEPT;

/* --- options of a selector ---------------------------------------------------------------------------- */

/* What the selector is allowed to do. The environment variable ADAPTIVE_MODE overrides it. */
typedef enum adaptive_mode ADAPTIVE_C_INT {
  ADAPTIVE_MODE_OFF = 0,     /* runs the default variant, always: the kill switch */
  ADAPTIVE_MODE_SEED = 1,    /* runs what the tables say; nothing is timed */
  ADAPTIVE_MODE_OBSERVE = 2, /* runs what the tables say, times it, and reports what `online` would choose */
  ADAPTIVE_MODE_ONLINE = 3,  /* explores, learns, promotes */
  ADAPTIVE_MODE_FROZEN = 4   /* runs the incumbent that a save would write now; nothing is timed */
} adaptive_mode;

typedef enum adaptive_log_level ADAPTIVE_C_INT {
  ADAPTIVE_LOG_DEBUG = 0,
  ADAPTIVE_LOG_INFO = 1,
  ADAPTIVE_LOG_WARNING = 2,
  ADAPTIVE_LOG_ERROR = 3
} adaptive_log_level;

/* Receives a message without a newline. Any thread may call it, on the launch path at most once for each
 * kind of trouble. It must not call the selector. `data` is what the program gave with the function. */
typedef void (*adaptive_log_function)(void* data, adaptive_log_level level, const char* line);

typedef struct adaptive_options adaptive_options;

/* Makes options with the defaults: the host's processor as the device, no tables, mode `online`. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_options_create(adaptive_options** options) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT void adaptive_options_destroy(adaptive_options* options) ADAPTIVE_C_NOEXCEPT;

/* The device that launches run on: the vendor's name, its driver and its toolkit, NULL or empty where
 * unknown. Tables of this device are used as they are; those of another only order the first measurements.
 * For a GPU see `adaptive_options_set_cuda_device`. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_options_set_device(adaptive_options* options, const char* name,
                                                              const char* driver,
                                                              const char* toolkit) ADAPTIVE_C_NOEXCEPT;
/* Adds a library that variants come from, such as "cublaslt" in version "13.1.0", to the device. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_options_add_library(adaptive_options* options, const char* name,
                                                               const char* version) ADAPTIVE_C_NOEXCEPT;
/* Searches tables in the usual places: the folders in ADAPTIVE_TABLES, else the user's own, then those
 * installed with the library. `version` is that of the program's kernels, whose folders are preferred; it
 * may be NULL. */
ADAPTIVE_C_EXPORT adaptive_status
adaptive_options_use_standard_tables(adaptive_options* options, const char* version) ADAPTIVE_C_NOEXCEPT;
/* Searches tables in a file or a folder, after those added before and ahead of the usual places. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_options_add_tables(adaptive_options* options,
                                                              const char* path) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_status adaptive_options_set_mode(adaptive_options* options,
                                                            adaptive_mode mode) ADAPTIVE_C_NOEXCEPT;
/* The policy by its name, such as "default", "gaussian", "thompson" or "fixed". */
ADAPTIVE_C_EXPORT adaptive_status adaptive_options_set_policy(adaptive_options* options,
                                                              const char* policy) ADAPTIVE_C_NOEXCEPT;
/* The seed of all random choices. Without `background` a run repeats, given the seed and the order of calls.
 */
ADAPTIVE_C_EXPORT adaptive_status adaptive_options_set_seed(adaptive_options* options,
                                                            uint64_t seed) ADAPTIVE_C_NOEXCEPT;
/* Whether processes with the same tables must launch the same variants; see `SelectorOptions`. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_options_set_rank_consistent(adaptive_options* options,
                                                                       bool enabled) ADAPTIVE_C_NOEXCEPT;
/* Whether a thread of the selector fits models (true by default); otherwise `adaptive_selector_learn` does.
 */
ADAPTIVE_C_EXPORT adaptive_status adaptive_options_set_background(adaptive_options* options,
                                                                  bool enabled) ADAPTIVE_C_NOEXCEPT;
/* Whether ADAPTIVE_MODE and ADAPTIVE_VARIANT override what the program asked for (true by default). */
ADAPTIVE_C_EXPORT adaptive_status adaptive_options_set_use_environment(adaptive_options* options,
                                                                       bool enabled) ADAPTIVE_C_NOEXCEPT;
/* Sets a numeric member of `LearningOptions` (<adaptive/learning.hpp>) by its name, such as
 * "exploration_budget"; "timing_cost" is in nanoseconds, switches are 0 or 1. ADAPTIVE_NOT_FOUND for an
 * unknown name. Values out of range are reported by `adaptive_selector_create`. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_options_set_learning(adaptive_options* options, const char* member,
                                                                double value) ADAPTIVE_C_NOEXCEPT;
/* The receiver of messages. Without one, warnings and errors go to stderr. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_options_set_log(adaptive_options* options,
                                                           adaptive_log_function log,
                                                           void* data) ADAPTIVE_C_NOEXCEPT;

/* Where changes are written down (`AuditOptions` in <adaptive/audit.hpp>): the path of the file, the size
 * from which on it is rotated (0: 16 MiB), and how many rotated files are kept. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_options_set_audit(adaptive_options* options, const char* file,
                                                             uint64_t bytes_max,
                                                             uint32_t files_max) ADAPTIVE_C_NOEXCEPT;

/* Lets `adaptive top` watch the selector and `adaptive mode`, the kill switch, set its mode, over a local
 * socket (<adaptive/socket.hpp>). `folder` is where the socket is; NULL or empty: the user's folder, in which
 * both commands look. `name` is what `adaptive top` calls the selector; NULL or empty: the device. Without
 * this call the environment variable ADAPTIVE_SOCKET decides. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_options_set_socket(adaptive_options* options, const char* folder,
                                                              const char* name) ADAPTIVE_C_NOEXCEPT;

/* --- selectors ---------------------------------------------------------------------------------------- */

/* The operations of one device, their tables, and what this run has learned. */
typedef struct adaptive_selector adaptive_selector;
typedef struct adaptive_operation adaptive_operation;
typedef struct adaptive_spec adaptive_spec;

/* Makes a selector. `options` may be NULL for the defaults; the caller keeps them. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_selector_create(const adaptive_options* options,
                                                           adaptive_selector** selector) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT void adaptive_selector_destroy(adaptive_selector* selector) ADAPTIVE_C_NOEXCEPT;

/* Makes an operation and looks up its tables. The same specification again gives the same operation; a
 * different one of the same name gives ADAPTIVE_MISMATCH. The caller keeps `spec`. */
ADAPTIVE_C_EXPORT adaptive_status
adaptive_selector_define(adaptive_selector* selector, const adaptive_spec* spec,
                         adaptive_operation** operation) ADAPTIVE_C_NOEXCEPT;
/* The operation of that name; NULL if none is defined. */
ADAPTIVE_C_EXPORT adaptive_operation* adaptive_selector_find(adaptive_selector* selector,
                                                             const char* name) ADAPTIVE_C_NOEXCEPT;
/* Adds a table to the seeds, ahead of those found before, for keys that have no state yet. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_selector_load(adaptive_selector* selector,
                                                         const char* path) ADAPTIVE_C_NOEXCEPT;
/* Writes everything that is known to one table, replaced atomically; what other processes have written to
 * the same file is kept. Waits at most 30 s for other processes that save. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_selector_save(const adaptive_selector* selector,
                                                         const char* path) ADAPTIVE_C_NOEXCEPT;
/* The boundary at which processes with `rank_consistent` take up a table. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_selector_advance_epoch(adaptive_selector* selector,
                                                                  const char* table) ADAPTIVE_C_NOEXCEPT;
/* Does the work of the selector's thread on the calling thread, until nothing is left. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_selector_learn(adaptive_selector* selector) ADAPTIVE_C_NOEXCEPT;
/* Fits the model that predicts new keys; takes some milliseconds for each operation. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_selector_fit_predictions(adaptive_selector* selector)
    ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_mode adaptive_selector_mode(const adaptive_selector* selector) ADAPTIVE_C_NOEXCEPT;
/* When it returns, every key obeys the mode; calls already decided run as decided. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_selector_set_mode(adaptive_selector* selector,
                                                             adaptive_mode mode) ADAPTIVE_C_NOEXCEPT;
/* The largest number of bytes that a variant may need for a key; UINT64_MAX if there is no limit. */
ADAPTIVE_C_EXPORT uint64_t adaptive_selector_memory_limit(const adaptive_selector* selector)
    ADAPTIVE_C_NOEXCEPT;
/* Changes it, for example while memory is short. When it returns, every key obeys; calls already decided run
 * as decided. `Selector::set_memory_limit` (<adaptive/selector.hpp>) has the details. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_selector_set_memory_limit(adaptive_selector* selector,
                                                                     uint64_t bytes) ADAPTIVE_C_NOEXCEPT;
/* A counter that rises with every change of an incumbent of any operation. */
ADAPTIVE_C_EXPORT uint64_t adaptive_selector_epoch(const adaptive_selector* selector) ADAPTIVE_C_NOEXCEPT;

/* Saves what a selector learns while the program runs. */
typedef struct adaptive_saver adaptive_saver;
/* Starts a thread that saves to `path` every `interval_ms` milliseconds (1 to a year's), on request and when
 * the saver is destroyed. Destroy it before its selector; make it after the program has forked. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_saver_create(adaptive_selector* selector, const char* path,
                                                        uint64_t interval_ms,
                                                        adaptive_saver** saver) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT void adaptive_saver_destroy(adaptive_saver* saver) ADAPTIVE_C_NOEXCEPT;
/* Requests a save soon and returns at once. Safe in a signal handler. */
ADAPTIVE_C_EXPORT void adaptive_saver_request(adaptive_saver* saver) ADAPTIVE_C_NOEXCEPT;

/* --- stores, which processes share ------------------------------------------------------------------------
 */

/* A place where processes share what they measure, and ranks their epochs. What is made with a store keeps
 * the place; the handle may be destroyed at once. Give each saver and each `adaptive_rank_epochs` a handle of
 * its own, since one thread uses a store at a time. A store on a Redis server is in <adaptive/redis/c.h>. */
typedef struct adaptive_store adaptive_store;
/* Makes a store in a folder, which may be on a file system that hosts share; <adaptive/store.hpp> says what
 * it keeps there. The folder is made at the first write. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_store_create(const char* folder,
                                                        adaptive_store** store) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT void adaptive_store_destroy(adaptive_store* store) ADAPTIVE_C_NOEXCEPT;

/* As `adaptive_saver_create`, for a saver that also exchanges statistics with other processes through `store`
 * at every interval. `path` may be NULL: then nothing is saved but in the store. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_saver_create_shared(adaptive_selector* selector, const char* path,
                                                               adaptive_store* store, uint64_t interval_ms,
                                                               adaptive_saver** saver) ADAPTIVE_C_NOEXCEPT;

/* Epochs of the ranks of a job: rank 0 announces a table at any time, and every rank takes it up at the same
 * step, without a message of the program. <adaptive/rank_epochs.hpp> says what happens to ranks that die, lag
 * or start again. One thread uses it at a time, and no other thread launches during a step. */
typedef struct adaptive_rank_epochs adaptive_rank_epochs;
/* Begins with the selector, which must be `rank_consistent`. `job` is the same name for all ranks, and
 * another one for a job that begins anew. A negative `rank` is that of the environment, or 0. `interval` is
 * the number of steps between two boundaries, the same for all ranks; 0: 1,000. `patience_ms` is how long a
 * step waits for a rank 0 that is far behind. Reads nothing yet. Destroy it before its selector. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_rank_epochs_create(
    adaptive_selector* selector, adaptive_store* store, const char* job, int rank, uint64_t interval,
    uint64_t patience_ms, adaptive_rank_epochs** epochs) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT void adaptive_rank_epochs_destroy(adaptive_rank_epochs* epochs) ADAPTIVE_C_NOEXCEPT;
/* Begins step `number`, the same number for the same step on all ranks, before its launches. Sets `risen`,
 * which may be NULL, to whether the epoch has risen. ADAPTIVE_UNAVAILABLE if rank 0 has not decided in time:
 * the step may be begun again, and must not launch before that has succeeded. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_rank_epochs_step(adaptive_rank_epochs* epochs, uint64_t number,
                                                            bool* risen) ADAPTIVE_C_NOEXCEPT;
/* Rank 0: gives all ranks the table at `path`, which is read now, as their next epoch. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_rank_epochs_announce(adaptive_rank_epochs* epochs,
                                                                const char* path) ADAPTIVE_C_NOEXCEPT;
/* The rank, as the program or the environment gave it. */
ADAPTIVE_C_EXPORT int adaptive_rank_epochs_rank(const adaptive_rank_epochs* epochs) ADAPTIVE_C_NOEXCEPT;

/* --- specifications of operations --------------------------------------------------------------------- */

typedef enum adaptive_rounding ADAPTIVE_C_INT {
  ADAPTIVE_ROUND_NONE = 0,
  ADAPTIVE_ROUND_POWER_OF_TWO = 1 /* round up to the next power of two, as serving engines pad batches */
} adaptive_rounding;

/* Begins a specification. The name is made of letters, digits, `_`, `-` and `.`. Tables are found by it. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_create(const char* name,
                                                       adaptive_spec** spec) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT void adaptive_spec_destroy(adaptive_spec* spec) ADAPTIVE_C_NOEXCEPT;

/* Each adds a dimension of the key: 1 to ADAPTIVE_KEY_CAPACITY of them, in the order of a key's values.
 * `weight` is the factor of the dimension in the distance between two keys, at least 0, usually 1. A value of
 * a label dimension is the label's index; a value of a label set is a bit mask over at most 63 labels. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_add_size(adaptive_spec* spec, const char* name, double weight,
                                                         adaptive_rounding rounding) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_add_linear(adaptive_spec* spec, const char* name,
                                                           double weight) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_add_label(adaptive_spec* spec, const char* name,
                                                          const char* const* labels,
                                                          size_t count) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_add_label_set(adaptive_spec* spec, const char* name,
                                                              const char* const* labels,
                                                              size_t count) ADAPTIVE_C_NOEXCEPT;

/* Adds a variant. The first one is the default. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_add_variant(adaptive_spec* spec,
                                                            const char* name) ADAPTIVE_C_NOEXCEPT;
/* Each sets a parameter of the variant that was added last, such as a tile size: for people and models. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_set_integer(adaptive_spec* spec, const char* parameter,
                                                            int64_t value) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_set_number(adaptive_spec* spec, const char* parameter,
                                                           double value) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_set_boolean(adaptive_spec* spec, const char* parameter,
                                                            bool value) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_set_text(adaptive_spec* spec, const char* parameter,
                                                         const char* value) ADAPTIVE_C_NOEXCEPT;
/* The class of the variant that was added last: variants of one class give bit for bit the same results. */
ADAPTIVE_C_EXPORT adaptive_status
adaptive_spec_set_numeric_class(adaptive_spec* spec, const char* numeric_class) ADAPTIVE_C_NOEXCEPT;

/* Functions of the program, called when a key is new, by one thread at a time for each operation. They get
 * the `data` that they were set with and the key's values, and must call no function of the selector;
 * `OperationSpec` (<adaptive/operation.hpp>) has the details. They must not unwind. */

/* Whether the variant of that index can run the key. */
typedef bool (*adaptive_supports_function)(void* data, uint32_t variant, const int64_t* key, size_t size);
/* Bytes of memory that the variant needs for the key besides the operands; `Variant::memory`
 * (<adaptive/variant.hpp>) has the details. */
typedef uint64_t (*adaptive_memory_function)(void* data, uint32_t variant, const int64_t* key, size_t size);
/* An estimate of what a launch costs, above 0, on any scale. */
typedef double (*adaptive_cost_function)(void* data, uint32_t variant, const int64_t* key, size_t size);
/* The index of the key's default variant. */
typedef uint32_t (*adaptive_default_function)(void* data, const int64_t* key, size_t size);
/* Writes the indices of the key's candidates, best guess first, to `variants`, which has room for `capacity`
 * of them (all variants of the operation), and returns their number. */
typedef size_t (*adaptive_candidates_function)(void* data, const int64_t* key, size_t size,
                                               uint32_t* variants, size_t capacity);

ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_set_supports(adaptive_spec* spec,
                                                             adaptive_supports_function supports,
                                                             void* data) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_set_memory(adaptive_spec* spec,
                                                           adaptive_memory_function memory,
                                                           void* data) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_set_cost(adaptive_spec* spec, adaptive_cost_function cost,
                                                         void* data) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_set_default_variant(adaptive_spec* spec,
                                                                    adaptive_default_function function,
                                                                    void* data) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_set_candidates(adaptive_spec* spec,
                                                               adaptive_candidates_function candidates,
                                                               void* data) ADAPTIVE_C_NOEXCEPT;
/* Whether a key may run variants of another numeric class than its default's (false by default). */
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_set_mix_numeric_classes(adaptive_spec* spec,
                                                                        bool enabled) ADAPTIVE_C_NOEXCEPT;
/* Largest distance at which a new key starts from a neighbour's entry: doublings of all sizes together (1 by
 * default). A negative number turns off neighbours and predictions. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_set_nearest_limit(adaptive_spec* spec,
                                                                  double distance) ADAPTIVE_C_NOEXCEPT;
/* Maximum number of keys that have a state (65,536 by default). */
ADAPTIVE_C_EXPORT adaptive_status adaptive_spec_set_max_keys(adaptive_spec* spec,
                                                             size_t keys) ADAPTIVE_C_NOEXCEPT;

/* --- the launch path ---------------------------------------------------------------------------------- */

/* The variant that one launch runs, and the ticket under which its latency is recorded. A plain value: copy
 * it, keep it until the latency is known, or drop it. Do not change its members. */
typedef struct adaptive_decision {
  const void* key;  /* belongs to the library; NULL if nothing can be learned from this launch */
  uint32_t variant; /* index of the variant to launch, in the order in which variants were added */
  uint32_t ticket;  /* not 0 if the latency of this launch is asked for; if 0, the clock may be skipped */
} adaptive_decision;

/* The variant that a key runs without exploration at one moment, for work that is prepared once and repeated,
 * such as a captured graph. A plain value, as a decision. */
typedef struct adaptive_pin {
  const void* key;
  const void* current;
  uint32_t seen;
  uint32_t variant; /* index of the pinned variant */
} adaptive_pin;

/* Decides which variant the next launch of the key runs. `key` has one value for each dimension. In the
 * steady state it takes no lock, allocates nothing and makes no system call. */
ADAPTIVE_C_EXPORT adaptive_decision adaptive_operation_select(adaptive_operation* operation,
                                                              const int64_t* key,
                                                              size_t size) ADAPTIVE_C_NOEXCEPT;
/* Records the latency of a launch. It may come late, out of order or never, from any thread. */
ADAPTIVE_C_EXPORT void adaptive_operation_record(adaptive_operation* operation, adaptive_decision decision,
                                                 double latency_ns) ADAPTIVE_C_NOEXCEPT;
/* Records a latency that was measured without a decision. */
ADAPTIVE_C_EXPORT void adaptive_operation_record_key(adaptive_operation* operation, const int64_t* key,
                                                     size_t size, uint32_t variant,
                                                     double latency_ns) ADAPTIVE_C_NOEXCEPT;
/* Reports that the launch failed: the variant is set aside for the key until a reset. */
ADAPTIVE_C_EXPORT void adaptive_operation_fail(adaptive_operation* operation,
                                               adaptive_decision decision) ADAPTIVE_C_NOEXCEPT;
/* The pin of a key. */
ADAPTIVE_C_EXPORT adaptive_pin adaptive_operation_pin(adaptive_operation* operation, const int64_t* key,
                                                      size_t size) ADAPTIVE_C_NOEXCEPT;
/* Whether the key has another pinned variant by now: take a new pin and prepare the work again. */
ADAPTIVE_C_EXPORT bool adaptive_pin_stale(adaptive_pin pin) ADAPTIVE_C_NOEXCEPT;
/* The pin as an untimed decision, so that a failed launch can be reported. */
ADAPTIVE_C_EXPORT adaptive_decision adaptive_pin_decision(adaptive_pin pin) ADAPTIVE_C_NOEXCEPT;

/* A call site with a fixed key, which is looked up once. */
typedef struct adaptive_site adaptive_site;
ADAPTIVE_C_EXPORT adaptive_status adaptive_site_create(adaptive_operation* operation, const int64_t* key,
                                                       size_t size, adaptive_site** site) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT void adaptive_site_destroy(adaptive_site* site) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_decision adaptive_site_select(const adaptive_site* site) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_pin adaptive_site_pin(const adaptive_site* site) ADAPTIVE_C_NOEXCEPT;

/* --- operations: what a program asks and changes, not on the launch path ------------------------------- */

/* The value of a label in a key, and of a set of labels. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_operation_label(const adaptive_operation* operation,
                                                           const char* dimension, const char* label,
                                                           int64_t* value) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_status adaptive_operation_labels(const adaptive_operation* operation,
                                                            const char* dimension, const char* const* labels,
                                                            size_t count, int64_t* value) ADAPTIVE_C_NOEXCEPT;
/* The number of variants, and the index of the one of that name. */
ADAPTIVE_C_EXPORT size_t adaptive_operation_variant_count(const adaptive_operation* operation)
    ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_status adaptive_operation_find_variant(const adaptive_operation* operation,
                                                                  const char* name,
                                                                  uint32_t* variant) ADAPTIVE_C_NOEXCEPT;
/* The name of a variant, to be freed by the caller. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_operation_variant_name(const adaptive_operation* operation,
                                                                  uint32_t variant,
                                                                  char** name) ADAPTIVE_C_NOEXCEPT;
/* Why a key runs the variant that it runs: several lines, to be freed by the caller. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_operation_explain(const adaptive_operation* operation,
                                                             const int64_t* key, size_t size,
                                                             char** text) ADAPTIVE_C_NOEXCEPT;
/* A member of `Counters` (<adaptive/counters.hpp>) by its name, such as "promotions" or "results_dropped";
 * ADAPTIVE_NOT_FOUND for an unknown name. Takes the lock of each key in turn. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_operation_counter(const adaptive_operation* operation,
                                                             const char* name,
                                                             uint64_t* value) ADAPTIVE_C_NOEXCEPT;
/* Takes a variant out of use for every key, or back into use. The default cannot be disabled. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_operation_enable(adaptive_operation* operation,
                                                            const char* variant,
                                                            bool enabled) ADAPTIVE_C_NOEXCEPT;
/* Forgets what was learned in this run: of all keys, or of one. ADAPTIVE_NOT_FOUND if the key has no state.
 */
ADAPTIVE_C_EXPORT adaptive_status adaptive_operation_reset(adaptive_operation* operation) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT adaptive_status adaptive_operation_reset_key(adaptive_operation* operation,
                                                               const int64_t* key,
                                                               size_t size) ADAPTIVE_C_NOEXCEPT;

/* As long as such an object lives, every call of the operation runs one variant, untimed. */
typedef struct adaptive_forced adaptive_forced;
ADAPTIVE_C_EXPORT adaptive_status adaptive_operation_force(adaptive_operation* operation, const char* variant,
                                                           adaptive_forced** forced) ADAPTIVE_C_NOEXCEPT;
ADAPTIVE_C_EXPORT void adaptive_forced_destroy(adaptive_forced* forced) ADAPTIVE_C_NOEXCEPT;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* ADAPTIVE_C_H */
