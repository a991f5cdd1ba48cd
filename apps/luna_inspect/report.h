// What luna-inspect finds, a FileReport a file, and how it is printed: a line for people, or JSON,
// an object a line.
// Thread rule: FileReport is a plain value; a Printer is owned by one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "apps/output/json.h"
#include "luna/status.h"

namespace luna::inspect {

// The first bytes of a file that are not what was written.
struct Damage {
  uint64_t offset = 0;
  std::optional<uint64_t> length;  // nothing: to an unknown place
  Error error;
};

struct FileReport {
  std::string path;
  std::string kind;  // "segment", "table", ...
  uint64_t bytes = 0;
  struct Fact {
    std::string name;  // "first_sequence"
    std::variant<uint64_t, std::string> value;
  };
  std::vector<Fact> facts;
  std::optional<Damage> damage;

  void Add(std::string name, uint64_t value) { facts.push_back({std::move(name), value}); }
  void Add(std::string name, std::string value) {
    facts.push_back({std::move(name), std::move(value)});
  }
  void Damaged(uint64_t offset, std::optional<uint64_t> length, const Error& error) {
    if (!damage.has_value()) {
      damage = Damage{.offset = offset, .length = length, .error = error};
    }
  }
};

class Printer {
 public:
  explicit Printer(bool json) : json_(json) {}

  bool json() const { return json_; }
  void Print(const FileReport& report);
  // One entry, record or edit of a file: `text` for people, `fields` (an object) for machines.
  void Entry(const std::string& path, const std::string& text, output::Json& fields);
  void Summary();
  uint64_t damaged() const { return damaged_; }

 private:
  const bool json_;
  uint64_t files_ = 0;
  uint64_t bytes_ = 0;
  uint64_t damaged_ = 0;
};

}  // namespace luna::inspect
