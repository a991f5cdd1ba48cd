// Endpoint: one server's access to one space of the store: what is asked there travels by the wire.
// What an answer is computed from must be captured by value, as it may be applied when whoever
// asked is gone.
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "luna/status.h"
#include "runtime/runtime.h"
#include "simulation/sim_kernel/sim_store.h"

namespace luna::sim_kernel {

// The space of "sim:NAME". kBadOption.
Result<std::string> SpaceOf(const std::string& location);

enum class Access : uint8_t { kRead, kWrite };

template <typename T>
struct Tried {
  Fate fate = Fate::kUnknown;
  std::optional<T> answer = {};
};

class Endpoint {
 public:
  // Store and runtime (the server's) outlive the endpoint.
  Endpoint(SimStore& store, runtime::Runtime& runtime, ServerId server, std::string location,
           Space& space)
      : store_(store),
        runtime_(runtime),
        server_(server),
        location_(std::move(location)),
        space_(space) {}
  // Another space, for checkpoints. kBadOption.
  Result<std::shared_ptr<Endpoint>> At(const std::string& location);

  // One try. `act` is a function of Space& and const Arrival& and gives a T.
  template <typename T, typename Act>
  Tried<T> Try(std::string_view object, Access access, Act act) {
    // Not in this frame, as the request may arrive when that is gone.
    auto answer = std::make_shared<std::optional<T>>();
    Tried<T> tried;
    tried.fate = store_.wire().Exchange(
        server_, runtime_,
        {.object = Where(object),
         .reads = access == Access::kRead,
         .act = [answer, act, &space = space_](const Arrival& at) { *answer = act(space, at); }});
    if (tried.fate == Fate::kAnswered) {
      tried.answer = std::move(*answer);
    }
    return tried;
  }
  // Repeats until there is an answer; only for what may be done twice. kUnreachable, kShutDown.
  template <typename T, typename Act>
  Result<T> Ask(std::string_view object, Access access, Act act) {
    const uint32_t tries = store_.wire().faults(server_).tries;
    Fate fate = Fate::kUnknown;
    for (uint32_t i = 0; i < tries && fate == Fate::kUnknown; ++i) {
      Tried<T> tried = Try<T>(object, access, act);
      if (tried.answer.has_value()) {
        return *std::move(tried.answer);
      }
      fate = tried.fate;
    }
    return NoAnswer(object, fate);
  }
  // Sends it once and does not wait. `act` gives nothing.
  template <typename Act>
  void Post(std::string_view object, Act act) {
    store_.wire().Post(server_, {.object = Where(object),
                                 .reads = false,
                                 .act = [act, &space = space_](const Arrival&) { act(space); }});
  }

  Error NoAnswer(std::string_view object, Fate fate) const;
  Error Full(std::string_view object) const;
  std::string Where(std::string_view object) const { return location_ + "/" + std::string(object); }
  SimStore& store() { return store_; }
  runtime::Runtime& runtime() { return runtime_; }
  ServerId server() const { return server_; }
  const std::string& location() const { return location_; }
  Space& space() { return space_; }

 private:
  SimStore& store_;
  runtime::Runtime& runtime_;
  const ServerId server_;
  const std::string location_;
  Space& space_;
};

}  // namespace luna::sim_kernel
