/// Declares the classes that a program passes by reference, without including their definitions: for headers
/// of a program that only mention them. A program must not write such declarations itself: all names of the
/// library are members of an inline namespace (`<adaptive/version.hpp>`), so that `namespace adaptive { class
/// Selector; }` would declare another class.
#pragma once

#include <cstdint>

namespace adaptive::inline v1 {

class Decision;
class Error;
class Fit;
class Forced;
class JointLaunch;
class Key;
class KeyStatistics;
class Operation;
class Parameter;
class Pin;
class Policy;
class Random;
class RankEpochs;
class Saver;
class Selector;
class Site;
class Store;
struct Account;
struct Counters;
struct Dimension;
struct Event;
struct Explanation;
struct Fingerprint;
struct JointVariants;
struct LearningOptions;
struct Match;
struct OperationSpec;
struct RankEpochsOptions;
struct RedisOptions;
struct Retention;
struct SaverOptions;
struct SelectorOptions;
struct TableSearch;
struct Variant;
struct VariantStatistics;
enum class DimensionKind : std::uint8_t;
enum class ErrorCode : std::uint8_t;
enum class EventKind : std::uint8_t;
enum class MatchKind : std::uint8_t;
enum class Mode : std::uint8_t;
enum class Objective : std::uint8_t;
enum class Rounding : std::uint8_t;

}  // namespace adaptive

namespace adaptive::inline v1::cuda {

class Launch;
class Timer;
class TrackedGraph;
struct TimerCounters;
struct TimerOptions;

}  // namespace adaptive::cuda
