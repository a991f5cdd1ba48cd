// EngineEvents: the engine's work in the log: recovery, flushes and compactions at debug, writes
// that are held back, background errors. Thread rule: safe.
#pragma once

#include <atomic>

#include "base/log.h"
#include "luna/luna.h"

namespace luna::lunad {

class EngineEvents final : public EventListener {
 public:
  explicit EngineEvents(base::Log log) : log_(log) {}

  void OnFlush(const Work& work) override { TellWork("flush", work); }
  void OnCompaction(const Work& work) override { TellWork("compaction", work); }
  void OnDelay(uint64_t micros, const std::string& cause) override;
  void OnRecovery(uint64_t records, uint64_t bytes, uint64_t micros) override;
  void OnBackgroundError(const Error& error) override;

 private:
  void TellWork(std::string_view event, const Work& work) const;

  const base::Log log_;
  std::atomic<bool> held_back_ = false;
};

}  // namespace luna::lunad
