#include "simulation/sim_kernel/endpoint.h"

#include "base/try.h"

namespace luna::sim_kernel {

namespace {

constexpr std::string_view kScheme = "sim:";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-";

}  // namespace

Result<std::string> SpaceOf(const std::string& location) {
  std::string name = location.starts_with(kScheme) ? location.substr(kScheme.size()) : "";
  if (name.empty() || name.find_first_not_of(kLetters) != std::string::npos) {
    return Error(Reason::kBadOption, "location '" + location +
                                         "': a simulated universe is sim:NAME, the name of "
                                         "lower-case letters, digits and dashes");
  }
  return name;
}

Result<std::shared_ptr<Endpoint>> Endpoint::At(const std::string& location) {
  const std::string name = TRY(SpaceOf(location));
  return std::make_shared<Endpoint>(store_, runtime_, server_, location, store_.space(name));
}

Error Endpoint::NoAnswer(std::string_view object, Fate fate) const {
  if (fate == Fate::kNotSent) {
    return Error(Reason::kShutDown,
                 Where(object) + ": server " + std::to_string(server_) + " was killed");
  }
  return Error(Reason::kUnreachable,
               Where(object) + ": the store did not answer in time; try again later");
}

Error Endpoint::Full(std::string_view object) const {
  return Error(Reason::kDiskFull, Where(object) + ": the store is full; make room, then try again");
}

}  // namespace luna::sim_kernel
