#include "store/epoch_board.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include <adaptive/error.hpp>

namespace adaptive::inline v1::table {
namespace {

constexpr const char* decisions_record = "decisions";

std::string table_record(std::size_t epoch) {
  return "table-" + std::to_string(epoch);
}

}  // namespace

EpochBoard::EpochBoard(std::shared_ptr<Store> store, std::string job)
    : store_(std::move(store)), group_("ranks-" + std::move(job)) {}

std::string EpochBoard::name() const {
  return store_->name() + " " + group_;
}

std::optional<EpochDecisions> EpochBoard::read() {
  records_ = &store_->read(group_);
  const auto at = records_->find(decisions_record);
  if (at == records_->end()) return std::nullopt;
  try {
    const auto json = nlohmann::json::parse(at->second);
    EpochDecisions decisions{json.at("decided").get<std::uint64_t>(),
                             json.at("begins").get<std::vector<std::uint64_t>>()};
    if (std::is_sorted(decisions.begins.begin(), decisions.begins.end())) return decisions;
  } catch (const nlohmann::json::exception&) {
    // reported below
  }
  throw Error(ErrorCode::corrupt, "is no record of decisions about epochs", name() + "/" + decisions_record,
              "choose another name for the job, or remove the group from the store");
}

const std::string* EpochBoard::table(std::size_t epoch) const {
  if (records_ == nullptr) return nullptr;
  const auto at = records_->find(table_record(epoch));
  return at == records_->end() ? nullptr : &at->second;
}

// Each record has a writer of its own, because a store of files replaces everything that a writer has: the
// decisions are a few bytes and change at every boundary, a table never changes.
void EpochBoard::write(const EpochDecisions& decisions, const std::vector<std::string>& tables) {
  records_ = &store_->read(group_);
  std::vector<std::size_t> lacking;
  for (std::size_t epoch = 0; epoch < tables.size(); ++epoch)
    if (const std::string* const known = table(epoch); known == nullptr || *known != tables[epoch])
      lacking.push_back(epoch);
  records_ = nullptr;  // a write ends their life
  for (const std::size_t epoch : lacking)
    store_->write(group_, table_record(epoch), {{table_record(epoch), tables[epoch]}});
  const nlohmann::json json = {{"decided", decisions.decided}, {"begins", decisions.begins}};
  store_->write(group_, decisions_record, {{decisions_record, json.dump()}});
}

}  // namespace adaptive::table
