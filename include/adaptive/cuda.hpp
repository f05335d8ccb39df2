// Includes every public header for launches on NVIDIA GPUs. Link the target adaptive::cuda.
#pragma once

#include <adaptive/adaptive.hpp>
#include <adaptive/cuda/device.hpp>
#include <adaptive/cuda/launch.hpp>
#include <adaptive/cuda/replay.hpp>
#include <adaptive/cuda/timer.hpp>
#include <adaptive/cuda/tracked_graph.hpp>
