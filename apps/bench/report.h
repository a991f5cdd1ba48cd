// How the results of `luna bench` look: a table for people, JSON, or CSV.
// Thread rule: owned by one thread.
#pragma once

#include <string>
#include <string_view>

#include "apps/bench/load.h"
#include "apps/bench/settings.h"
#include "apps/output/json.h"

namespace luna::bench {

class Report {
 public:
  explicit Report(const Settings& settings);

  // Each writes what can be shown already to stdout.
  void Begin();
  void Add(TestKind test, const Outcome& outcome);
  // The server does not know the commands of this test, or does not let us use them.
  void Refuse(TestKind test, std::string_view why);
  void End();

 private:
  void AddText(TestKind test, const Outcome& outcome);
  void AddJson(TestKind test, const Outcome& outcome);
  void AddCsv(TestKind test, const Outcome& outcome);

  const Settings& settings_;
  output::Json json_;
};

}  // namespace luna::bench
