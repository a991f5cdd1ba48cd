// background: jobs as data (Kernel contract K8: a job may run twice or never). A job names its
// kind; handlers are registered by the rooms that know how. Priorities order the queue; one
// shutdown ends everything.
// Thread rule: Background is safe; a JobContext belongs to the running handler.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "luna/status.h"
#include "runtime/runtime.h"

namespace luna::background {

enum class Priority : uint8_t { kFlush, kUrgent, kNormal, kSweep };  // most urgent first

struct Job {
  std::string kind;
  std::string payload;
  Priority priority = Priority::kNormal;
};

// What a handler may ask while it runs.
class JobContext {
 public:
  virtual ~JobContext() = default;
  virtual bool stopping() const = 0;  // end soon: shutdown began
};

using Handler = std::function<void(const Job&, JobContext&)>;

struct BackgroundOptions {
  uint32_t flush_threads = 1;       // run kFlush jobs only, at ThreadClass::kFlush
  uint32_t compaction_threads = 1;  // run the other priorities, at ThreadClass::kBackground
};

class Background {
 public:
  virtual ~Background() = default;  // shuts down
  // Before the first Spawn of `kind`; once.
  virtual void Register(std::string kind, Handler handler) = 0;
  // Queues the job. A queued (not running) job with equal kind and payload is not queued twice; it
  // keeps the more urgent priority. Nothing happens after Shutdown began.
  virtual void Spawn(Job job) = 0;
  // Spawns `job` every `period_nanos` until shutdown, the first time after one period.
  virtual void SpawnEvery(uint64_t period_nanos, Job job) = 0;
  // Waits until no job is queued or running. Not from a handler: it would wait for itself.
  virtual void Drain() = 0;
  // Drops queued jobs, tells running ones to stop, joins the threads. Idempotent. Not from a
  // handler.
  virtual void Shutdown() = 0;
  virtual uint64_t queued() const = 0;
  virtual uint64_t running() const = 0;
};

// Threads of this process. `runtime` outlives the result; each number of threads is at least 1.
std::unique_ptr<Background> NewLocalBackground(runtime::Runtime& runtime,
                                               const BackgroundOptions& options);

}  // namespace luna::background
