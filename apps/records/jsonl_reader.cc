// JSON lines: an object a line. Strings are taken as their characters, {"hex": "…"} as its bytes,
// everything else (numbers, lists, …) as its text.
#include <utility>

#include "apps/output/escape.h"
#include "apps/records/json_scanner.h"
#include "apps/records/record_reader.h"
#include "base/text.h"
#include "base/try.h"

namespace luna::records {
namespace {

// The bytes a field's value stands for; nothing if it is {"hex": …} with bad digits.
std::optional<std::string> BytesOf(std::string_view json) {
  if (json.starts_with('"')) {
    return JsonScanner::Decode(json);
  }
  if (!json.starts_with('{')) {
    return std::string(json);
  }
  std::optional<std::string> hex;
  size_t fields = 0;
  JsonScanner scanner(json);
  scanner.ScanObject([&](std::string_view name, std::string_view value) {
    ++fields;
    if (name == "hex" && value.starts_with('"')) {
      hex = JsonScanner::Decode(value);
    }
  });
  return fields == 1 && hex.has_value() ? base::FromHex(*hex) : std::string(json);
}

class JsonlReader final : public RecordReader {
 public:
  JsonlReader(std::unique_ptr<LineSource> source, const Fields& fields)
      : RecordReader(std::move(source)),
        key_name_(fields.key.empty() ? "key" : fields.key),
        value_name_(fields.key.empty() && fields.value.empty() ? "value" : fields.value) {}

  Result<std::optional<Record>> Next() override {
    for (;;) {
      const std::optional<std::string_view> line = TRY(source_->Next());
      if (!line.has_value()) {
        return std::optional<Record>();
      }
      if (line->find_first_not_of(" \t\r") != std::string_view::npos) {
        return ReadLine(*line);
      }
    }
  }

 private:
  Result<std::optional<Record>> ReadLine(std::string_view line) {
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;
    JsonScanner scanner(line);
    const bool valid = scanner.ScanObject([&](std::string_view name, std::string_view json) {
      if (name == key_name_) {
        key = json;
      }
      if (name == value_name_) {
        value = json;
      }
    });
    const uint64_t number = source_->line();
    if (!valid) {
      return Bad(number, "column " + std::to_string(scanner.column()) + ": " + scanner.problem() +
                             "; each line must be one JSON object");
    }
    key_ = TRY(Field(number, "--key", key_name_, key));
    if (value_name_.empty()) {
      value_ = line.substr(0, line.size() - (line.ends_with('\r') ? 1 : 0));
    } else {
      value_ = TRY(Field(number, "--value", value_name_, value));
    }
    return std::optional<Record>({.key = key_, .value = value_, .line = number});
  }

  Result<std::string> Field(uint64_t line, const std::string& option, const std::string& name,
                            const std::optional<std::string_view>& json) const {
    if (!json.has_value()) {
      return Bad(line, "the object has no field '" + output::Escape(name) +
                           "'; name the field with " + option);
    }
    std::optional<std::string> bytes = BytesOf(*json);
    if (!bytes.has_value()) {
      return Bad(line, "field '" + output::Escape(name) +
                           "': \"hex\" is not an even number of hexadecimal digits; correct it");
    }
    return std::move(*bytes);
  }

  const std::string key_name_;
  const std::string value_name_;  // empty: the whole line
  std::string key_;
  std::string value_;
};

}  // namespace

std::unique_ptr<RecordReader> NewJsonlReader(std::unique_ptr<LineSource> source,
                                             const Fields& fields) {
  return std::make_unique<JsonlReader>(std::move(source), fields);
}

}  // namespace luna::records
