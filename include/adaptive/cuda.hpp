// Launches on NVIDIA GPUs: target adaptive::cuda.
#pragma once

#include <adaptive/adaptive.hpp>
#include <adaptive/cuda/device.hpp>
#include <adaptive/cuda/launch.hpp>
#include <adaptive/cuda/timer.hpp>
#include <adaptive/cuda/tracked_graph.hpp>
