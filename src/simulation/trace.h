// Trace: what happened in a simulated run, as one running hash: every scheduling decision, event,
// clock jump and file operation, and what callers Add. Two runs of one seed must have one hash; if
// they differ, run both with a sink and compare the texts: the first different line is the leak.
// Thread rule: guarded by the caller (in a simulation there is one thread).
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

namespace luna::simulation {

class Trace {
 public:
  // Gets one line (without newline) for everything added.
  using Sink = std::function<void(std::string_view line)>;

  explicit Trace(Sink sink = {}) : sink_(std::move(sink)) {}

  // Add what the workload saw and decided ("commit 17 -> conflict"); never pointers or real times.
  void Add(std::string_view text) { Add(text, {}); }
  // The same without building a string: "kind number number text".
  void Add(std::string_view kind, std::initializer_list<uint64_t> numbers,
           std::string_view text = {});

  uint64_t hash() const { return hash_; }
  uint64_t size() const { return size_; }  // things added so far

 private:
  Sink sink_;
  uint64_t hash_ = 0;
  uint64_t size_ = 0;
};

}  // namespace luna::simulation
