#include "apps/lunad/engine_events.h"

namespace luna::lunad {

void EngineEvents::TellWork(std::string_view event, const Work& work) const {
  if (!log_.Wants(base::LogLevel::kDebug)) {
    return;
  }
  log_.Debug(event, {{"database", work.database},
                     {"collection", work.collection},
                     {"from_level", work.from_level},
                     {"to_level", work.to_level},
                     {"bytes_read", work.bytes_read},
                     {"bytes_written", work.bytes_written},
                     {"micros", work.micros}});
}

// The delay changes often while it lasts; its beginning and its end are the events.
void EngineEvents::OnDelay(uint64_t micros, const std::string& cause) {
  const bool held_back = micros > 0;
  if (held_back_.exchange(held_back) == held_back) {
    return;
  }
  if (held_back) {
    log_.Warning("writes-held-back", {{"cause", cause}, {"micros", micros}});
  } else {
    log_.Info("writes-run-free");
  }
}

void EngineEvents::OnRecovery(uint64_t records, uint64_t bytes, uint64_t micros) {
  log_.Info("recovered", {{"records", records}, {"bytes", bytes}, {"micros", micros}});
}

void EngineEvents::OnBackgroundError(const Error& error) {
  log_.Error("background-error", {{"error", error.message()}, {"reason", Name(error.reason())}});
}

}  // namespace luna::lunad
