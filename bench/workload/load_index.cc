// load-index: a Debian package index (`apt-cache dumpavail`) in transactions of 100 packages. Table
// 0 has the stanzas by package, table 1 "section/package", written in the same transactions.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <unordered_set>

#include "workload/failure.h"
#include "workload/workload.h"

namespace luna::bench {
namespace {

constexpr size_t kBatchPackages = 100;

struct Package {
  std::string_view name;
  std::string_view stanza;
  std::string section_key;
};

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && text.empty()) {
    Die("cannot read the package index " + path + "; make one with: apt-cache dumpavail > FILE");
  }
  return text;
}

// The value of a one-line field, or nothing.
std::string_view Field(std::string_view stanza, std::string_view name) {
  for (size_t at = 0; at < stanza.size();) {
    const size_t end = std::min(stanza.find('\n', at), stanza.size());
    const std::string_view line = stanza.substr(at, end - at);
    if (line.starts_with(name) && line.substr(name.size()).starts_with(": ")) {
      return line.substr(name.size() + 2);
    }
    at = end + 1;
  }
  return {};
}

// In the file's order; a package named twice counts once. Views into `text`.
std::vector<Package> Parse(std::string_view text, uint64_t limit) {
  std::vector<Package> packages;
  std::unordered_set<std::string_view> names;
  for (size_t at = 0; at < text.size() && packages.size() < limit;) {
    const size_t end = std::min(text.find("\n\n", at), text.size());
    const std::string_view stanza = text.substr(at, end - at);
    const std::string_view name = Field(stanza, "Package");
    if (!name.empty() && names.insert(name).second) {
      packages.push_back(
          {name, stanza, std::string(Field(stanza, "Section")) + "/" + std::string(name)});
    }
    at = std::min(text.size(), end + 2);
  }
  Check(!packages.empty(), "the package index has no packages");
  return packages;
}

void VerifyIndex(Engine& engine, std::vector<Package> packages) {
  std::sort(packages.begin(), packages.end(),
            [](const Package& a, const Package& b) { return a.name < b.name; });
  const auto stanzas = engine.NewCursor(0);
  stanzas->Seek({});
  std::vector<std::string_view> sections;
  sections.reserve(packages.size());
  for (const Package& package : packages) {
    Check(stanzas->Valid() && stanzas->key() == package.name, "a package is missing");
    Check(stanzas->value() == package.stanza, "a stanza differs");
    stanzas->Next();
    sections.push_back(package.section_key);
  }
  Check(!stanzas->Valid(), "more packages than were written");
  std::sort(sections.begin(), sections.end());
  const auto cursor = engine.NewCursor(1);
  cursor->Seek({});
  for (const std::string_view section : sections) {
    Check(cursor->Valid() && cursor->key() == section, "an entry of the section index is missing");
    cursor->Next();
  }
  Check(!cursor->Valid(), "more entries in the section index than were written");
}

}  // namespace

std::vector<Measure> LoadIndex(const Cell& cell) {
  const std::string text = ReadWhole(cell.index_file);
  const auto packages = Parse(text, cell.Scaled(70'000));
  const auto engine = OpenEngine(cell.engine, cell.setup);
  Histogram latencies;
  std::vector<Write> writes;
  Meter meter;
  uint64_t before = Now();
  size_t left = packages.size();  // to be added
  for (const Package& package : packages) {
    writes.push_back({.table = 0, .key = package.name, .value = package.stanza});
    writes.push_back({.table = 1, .key = package.section_key, .value = {}});
    --left;
    if (writes.size() == 2 * kBatchPackages || left == 0) {
      engine->Commit(writes);
      writes.clear();
      const uint64_t now = Now();
      latencies.Add(now - before);
      before = now;
    }
  }
  const Measure measure = meter.Stop("load-index", packages.size(), latencies);
  VerifyIndex(*engine, packages);
  return {measure};
}

}  // namespace luna::bench
