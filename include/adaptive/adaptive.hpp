/// Includes every public header except those that need CUDA or Redis. docs/architecture.md describes what
/// each part of the library does.
#pragma once

#include <adaptive/audit.hpp>
#include <adaptive/belief.hpp>
#include <adaptive/counters.hpp>
#include <adaptive/decision.hpp>
#include <adaptive/device.hpp>
#include <adaptive/dimension.hpp>
#include <adaptive/error.hpp>
#include <adaptive/expectations.hpp>
#include <adaptive/explanation.hpp>
#include <adaptive/forward.hpp>
#include <adaptive/joint.hpp>
#include <adaptive/key.hpp>
#include <adaptive/latency.hpp>
#include <adaptive/learning.hpp>
#include <adaptive/log.hpp>
#include <adaptive/match.hpp>
#include <adaptive/mode.hpp>
#include <adaptive/operation.hpp>
#include <adaptive/policy.hpp>
#include <adaptive/random.hpp>
#include <adaptive/rank_epochs.hpp>
#include <adaptive/run.hpp>
#include <adaptive/saver.hpp>
#include <adaptive/selector.hpp>
#include <adaptive/socket.hpp>
#include <adaptive/statistics.hpp>
#include <adaptive/store.hpp>
#include <adaptive/tables.hpp>
#include <adaptive/variant.hpp>
#include <adaptive/version.hpp>
