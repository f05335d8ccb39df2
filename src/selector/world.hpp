// What the environment says about the ranks of which this process is one.
#pragma once

#include <optional>
#include <string>

namespace adaptive::inline v1 {

struct World {
  int size = 1;
  int rank = 0;
  std::string variable = {};  ///< the variable that has told the size

  friend bool operator==(const World&, const World&) = default;
};

/// The first of these pairs of variables of which both are numbers that fit each other, or nothing:
/// WORLD_SIZE, RANK (torch.distributed); OMPI_COMM_WORLD_SIZE, OMPI_COMM_WORLD_RANK (Open MPI); PMI_SIZE,
/// PMI_RANK (MPICH, Intel MPI); SLURM_STEP_NUM_TASKS, SLURM_PROCID (srun). The first pair decides even if it
/// tells a world of one: a launcher further outside counts other processes. SLURM_NTASKS is not asked: it is
/// also set where one program runs alone in an allocation.
std::optional<World> world_of_environment();

}  // namespace adaptive
