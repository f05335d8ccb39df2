#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

/// FlashInfer's cache of tactics in one file.
const Format& flashinfer();
/// FlashInfer's second cache: a folder for each environment, with a file for each tactic.
const Format& flashinfer_entries();

}  // namespace adaptive::table::formats
