// Point reads and scans, each held against what the index says.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "apps/luna/demo.h"
#include "apps/output/escape.h"
#include "apps/output/screen.h"
#include "base/text.h"
#include "base/try.h"

namespace luna::cli {
namespace {

constexpr uint64_t kShown = 5;
constexpr uint64_t kPointReads = 50'000;

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Names that most machines know, and the first of the index.
std::vector<std::string> NamesToShow(const IndexFacts& facts) {
  std::vector<std::string> names;
  for (const std::string name : {"bash", "coreutils", "libc6"}) {
    if (facts.packages.contains(name)) {
      names.push_back(name);
    }
  }
  if (names.empty() && !facts.packages.empty()) {
    names.push_back(facts.packages.begin()->first);
  }
  return names;
}

bool Matches(const IndexFacts& facts, const std::string& name, std::string_view stanza) {
  const auto found = facts.packages.find(name);
  return found != facts.packages.end() && found->second.checksum == ChecksumOf(stanza);
}

// Reads names spread over the index in an order that jumps; how many stanzas were right.
Result<uint64_t> ReadAround(const Shelves& shelves, const IndexFacts& facts) {
  std::vector<const std::string*> names;
  for (const auto& [name, package] : facts.packages) {
    names.push_back(&name);
  }
  uint64_t right = 0;
  uint64_t state = 1;
  for (uint64_t i = 0; i < kPointReads && !names.empty(); ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const std::string& name = *names[(state >> 33) % names.size()];
    const auto stanza = TRY(shelves.packages.Get(name));
    right += stanza.has_value() && Matches(facts, name, *stanza) ? 1 : 0;
  }
  return right;
}

// Scans and shows the first few keys; how many entries there were.
Result<uint64_t> ShowScan(Collection& collection, const ScanOptions& options,
                          Presenter& presenter) {
  auto entry = TRY(collection.Scan(options));
  uint64_t count = 0;
  std::string shown;
  for (; entry->Valid(); entry->Next(), ++count) {
    if (count < kShown) {
      shown += (shown.empty() ? "" : ", ") + output::Escape(entry->key());
    }
  }
  TRY(entry->status());
  presenter.Line(shown + (count > kShown ? ", ..." : ""));
  return count;
}

// The prefix to scan by: libssl, or of the first package.
std::string PrefixToShow(const IndexFacts& facts) {
  const auto libssl = facts.packages.lower_bound("libssl");
  if (libssl != facts.packages.end() && libssl->first.starts_with("libssl")) {
    return "libssl";
  }
  return facts.packages.empty() ? "" : facts.packages.begin()->first.substr(0, 3);
}

uint64_t CountInFacts(const IndexFacts& facts, const std::string& prefix) {
  return static_cast<uint64_t>(
      std::count_if(facts.packages.begin(), facts.packages.end(),
                    [&](const auto& package) { return package.first.starts_with(prefix); }));
}

}  // namespace

Status ShowReads(const Shelves& shelves, const IndexFacts& facts, Presenter& presenter) {
  presenter.Title("Point reads");
  for (const std::string& name : NamesToShow(facts)) {
    const auto stanza = TRY(shelves.packages.Get(name));
    presenter.Line(name + " -> " + FirstLine(stanza.value_or("(nothing)")) + " (" +
                   base::FormatBytes(stanza.value_or("").size()) + ")");
  }
  const auto missing = TRY(shelves.packages.Get("no such package"));
  presenter.Check(!missing.has_value(), "a key that is not there reads as nothing");
  const Stopwatch watch;
  const uint64_t right = TRY(ReadAround(shelves, facts));
  const double seconds = watch.seconds();
  const uint64_t asked = facts.packages.empty() ? 0 : kPointReads;
  presenter.Check(right == asked, "random reads, every stanza compared: " + Rate(asked, seconds));
  return {};
}

Status ShowScans(const Shelves& shelves, const IndexFacts& facts, Presenter& presenter) {
  const std::string prefix = PrefixToShow(facts);
  presenter.Title("Prefix scan of \"" + prefix + "\"");
  ScanOptions by_prefix;
  by_prefix.prefix = prefix;
  const uint64_t found = TRY(ShowScan(shelves.packages, by_prefix, presenter));
  presenter.Check(found == CountInFacts(facts, prefix),
                  output::Grouped(found) + " packages begin so");

  presenter.Title("Reverse scan, the last ones first");
  ScanOptions last;
  last.reverse = true;
  last.limit = kShown;
  TRY(ShowScan(shelves.packages, last, presenter));

  presenter.Title("Full scan");
  const Stopwatch watch;
  auto entry = TRY(shelves.packages.Scan());
  uint64_t right = 0;
  uint64_t bytes = 0;
  for (; entry->Valid(); entry->Next()) {
    bytes += entry->key().size() + entry->value().size();
    right += Matches(facts, std::string(entry->key()), entry->value()) ? 1 : 0;
  }
  TRY(entry->status());
  presenter.Check(
      right == facts.packages.size(),
      "every stanza compared: " + Rate(right, watch.seconds()) + ", " + base::FormatBytes(bytes));

  presenter.Title("The other collection: packages of the section \"editors\"");
  ScanOptions editors;
  editors.prefix = "editors/";
  const uint64_t in_section = TRY(ShowScan(shelves.sections, editors, presenter));
  presenter.Check(in_section == static_cast<uint64_t>(std::count_if(
                                    facts.packages.begin(), facts.packages.end(),
                                    [](const auto& p) { return p.second.section == "editors"; })),
                  output::Grouped(in_section) + " packages are in it");
  return {};
}

}  // namespace luna::cli
