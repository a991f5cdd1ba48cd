// RecordReader: keys and values out of text, one record at a time: TSV, CSV, JSON lines and Debian
// control files (docs/guide/cli.md describes each form).
// A record that does not parse is kBadInput naming file and line; the next call goes on behind it.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "apps/records/line_source.h"
#include "luna/status.h"

namespace luna::records {

struct Record {
  std::string_view key;  // both valid until the reader's next call
  std::string_view value;
  uint64_t line = 0;  // where it begins
};

enum class Format : uint8_t { kTsv, kCsv, kJsonl, kDeb822 };

// Which part of a record is what. Empty: what the format says.
struct Fields {
  std::string key;
  std::string value;
  bool raw = false;  // TSV without escapes
};

class RecordReader {
 public:
  virtual ~RecordReader() = default;
  // Nothing at the end. kBadInput: this record is left out; others: nothing more can be read.
  virtual Result<std::optional<Record>> Next() = 0;

  const LineSource& source() const { return *source_; }

 protected:
  explicit RecordReader(std::unique_ptr<LineSource> source) : source_(std::move(source)) {}
  // "FILE line N: what".
  Error Bad(uint64_t line, const std::string& what) const {
    return Error(Reason::kBadInput,
                 source_->name() + " line " + std::to_string(line) + ": " + what);
  }

  const std::unique_ptr<LineSource> source_;
};

std::unique_ptr<RecordReader> NewReader(Format format, std::unique_ptr<LineSource> source,
                                        const Fields& fields);
// The readers by themselves, a file each.
std::unique_ptr<RecordReader> NewTsvReader(std::unique_ptr<LineSource> source,
                                           const Fields& fields);
std::unique_ptr<RecordReader> NewCsvReader(std::unique_ptr<LineSource> source,
                                           const Fields& fields);
std::unique_ptr<RecordReader> NewJsonlReader(std::unique_ptr<LineSource> source,
                                             const Fields& fields);
std::unique_ptr<RecordReader> NewDeb822Reader(std::unique_ptr<LineSource> source,
                                              const Fields& fields);

// "tsv", "csv", "jsonl", "deb822".
std::optional<Format> ParseFormat(std::string_view name);

// A field of a Debian stanza ("Section" → "libs"), continuation lines included; nothing if absent.
// Names are compared without regard to case.
std::optional<std::string_view> StanzaField(std::string_view stanza, std::string_view name);

}  // namespace luna::records
