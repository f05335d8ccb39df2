#include <adaptive/error.hpp>

#include <utility>

namespace adaptive {
namespace {

std::string message(const std::string& problem, const std::string& where, const std::string& remedy) {
  std::string text = where;
  if (!where.empty()) text += ": ";
  text += problem;
  if (!remedy.empty()) text += "; " + remedy;
  return text;
}

}  // namespace

Error::Error(std::string problem, std::string where, std::string remedy)
    : std::runtime_error(message(problem, where, remedy)),
      problem_(std::move(problem)),
      where_(std::move(where)),
      remedy_(std::move(remedy)) {}

}  // namespace adaptive
