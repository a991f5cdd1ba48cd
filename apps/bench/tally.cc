#include "apps/bench/tally.h"

namespace luna::bench {
namespace {

constexpr size_t kExamplesMax = 8;

void Keep(std::map<std::string, std::string, std::less<>>& examples, std::string_view word,
          std::string_view text) {
  if (examples.size() < kExamplesMax && !examples.contains(word)) {
    examples.emplace(word, text);
  }
}

}  // namespace

void Tally::Fail(std::string_view text) {
  ++failed;
  Keep(examples, text.substr(0, text.find(' ')), text);
}

void Tally::Wrong(std::string_view what) {
  ++wrong;
  Keep(examples, "wrong", what);
}

void Tally::Lose(std::string_view why) {
  ++lost;
  Keep(examples, "lost", why);
}

void Tally::Add(const Tally& other) {
  latency_nanos.Add(other.latency_nanos);
  failed += other.failed;
  wrong += other.wrong;
  missing += other.missing;
  conflicts += other.conflicts;
  lost += other.lost;
  for (const auto& [word, text] : other.examples) {
    Keep(examples, word, text);
  }
}

}  // namespace luna::bench
