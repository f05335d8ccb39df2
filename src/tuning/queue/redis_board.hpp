// A board on a Redis server. Built only if hiredis is found.
#pragma once

#include <memory>

#include "tuning/queue/board.hpp"

namespace adaptive::inline v1::tuning {

/// The board connects at its first use.
std::unique_ptr<Board> redis_board(const BoardAddress& address);

}  // namespace adaptive::tuning
