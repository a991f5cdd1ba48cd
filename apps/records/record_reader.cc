#include "apps/records/record_reader.h"

namespace luna::records {

std::unique_ptr<RecordReader> NewReader(Format format, std::unique_ptr<LineSource> source,
                                        const Fields& fields) {
  switch (format) {
    case Format::kTsv:
      return NewTsvReader(std::move(source), fields);
    case Format::kCsv:
      return NewCsvReader(std::move(source), fields);
    case Format::kJsonl:
      return NewJsonlReader(std::move(source), fields);
    case Format::kDeb822:
      return NewDeb822Reader(std::move(source), fields);
  }
  return nullptr;
}

std::optional<Format> ParseFormat(std::string_view name) {
  if (name == "tsv") {
    return Format::kTsv;
  }
  if (name == "csv") {
    return Format::kCsv;
  }
  if (name == "jsonl") {
    return Format::kJsonl;
  }
  return name == "deb822" ? std::optional(Format::kDeb822) : std::nullopt;
}

}  // namespace luna::records
