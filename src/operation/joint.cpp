#include <adaptive/joint.hpp>

#include <string>
#include <utility>

#include <adaptive/error.hpp>

namespace adaptive::inline v1 {
namespace {

const Parameter& shared_of(const Variant& variant, const std::string& parameter) {
  const auto at = variant.parameters.find(parameter);
  if (at == variant.parameters.end())
    throw Error(ErrorCode::not_found,
                "the variant " + variant.name + " has no parameter \"" + parameter + "\"", "joint_variants",
                "give a parameter that all variants of both operations have");
  return at->second;
}

void add_parameters(Parameters& to, const Variant& from, const std::string& shared,
                    const std::string& prefix) {
  for (const auto& [name, value] : from.parameters)
    if (name != shared) to.emplace(prefix + name, value);
}

Variant pair_of(const Variant& a, const Variant& b, const std::string& shared) {
  Variant pair;
  pair.name = a.name + "+" + b.name;
  pair.parameters.emplace(shared, a.parameters.at(shared));
  add_parameters(pair.parameters, a, shared, "first.");
  add_parameters(pair.parameters, b, shared, "second.");
  if (a.supports || b.supports)
    pair.supports = [first = a.supports, second = b.supports](const Key& key) {
      return (!first || first(key)) && (!second || second(key));
    };
  return pair;
}

}  // namespace

JointVariants joint_variants(std::span<const Variant> first, std::span<const Variant> second,
                             std::string_view parameter) {
  const std::string shared(parameter);
  JointVariants pairs;
  for (std::uint32_t i = 0; i < first.size(); ++i)
    for (std::uint32_t j = 0; j < second.size(); ++j) {
      if (!(shared_of(first[i], shared) == shared_of(second[j], shared))) continue;
      pairs.variants.push_back(pair_of(first[i], second[j], shared));
      pairs.parts.push_back({i, j});
    }
  if (pairs.variants.empty())
    throw Error(ErrorCode::invalid_argument, "no two variants agree in \"" + shared + "\"", "joint_variants");
  return pairs;
}

}  // namespace adaptive
