// Debian control files: stanzas of "Name: value" lines, further lines of a value begin with a space
// or tab; stanzas are parted by empty lines; lines that begin with # are comments.
#include <utility>

#include "apps/output/escape.h"
#include "apps/records/record_reader.h"
#include "base/try.h"

namespace luna::records {
namespace {

bool SameName(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) {
    return false;
  }
  for (size_t i = 0; i < a.size(); ++i) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    if (lower(a[i]) != lower(b[i])) {
      return false;
    }
  }
  return true;
}

bool Continues(std::string_view line) {
  return line.starts_with(' ') || line.starts_with('\t');
}

class Deb822Reader final : public RecordReader {
 public:
  Deb822Reader(std::unique_ptr<LineSource> source, const Fields& fields)
      : RecordReader(std::move(source)),
        key_name_(fields.key.empty() ? "Package" : fields.key),
        value_name_(fields.value) {}

  Result<std::optional<Record>> Next() override {
    std::optional<Error> wrong;
    const uint64_t first = TRY(ReadStanza(wrong));
    if (wrong.has_value()) {
      return *wrong;
    }
    if (first == 0) {
      return std::optional<Record>();
    }
    Record record{.key = {}, .value = {}, .line = first};
    const auto key = StanzaField(stanza_, key_name_);
    if (!key.has_value() || key->empty()) {
      return Bad(first, "the stanza has no field '" + output::Escape(key_name_) +
                            "'; name the field that is the key with --key");
    }
    record.key = *key;
    record.value = stanza_;
    if (!value_name_.empty()) {
      const auto value = StanzaField(stanza_, value_name_);
      if (!value.has_value()) {
        return Bad(first, "the stanza has no field '" + output::Escape(value_name_) +
                              "'; correct --value, or skip such stanzas with --skip-bad");
      }
      record.value = *value;
    }
    return std::optional<Record>(record);
  }

 private:
  // Fills stanza_; the number of its first line, 0 at the end.
  Result<uint64_t> ReadStanza(std::optional<Error>& wrong) {
    stanza_.clear();
    uint64_t first = 0;
    for (;;) {
      const std::optional<std::string_view> next = TRY(source_->Next());
      const std::string_view line =
          !next.has_value() ? std::string_view()
                            : next->substr(0, next->size() - (next->ends_with('\r') ? 1 : 0));
      if (line.empty()) {
        if (first != 0 || !next.has_value()) {
          return first;
        }
        continue;
      }
      if (line.starts_with('#')) {
        continue;
      }
      const size_t colon = line.find(':');
      const bool good = Continues(line) ? first != 0 : colon != std::string_view::npos && colon > 0;
      if (!good && !wrong.has_value()) {
        wrong = Bad(source_->line(), Continues(line)
                                         ? "a continuation line where a stanza begins; begin it "
                                           "with 'Name: value'"
                                         : "neither 'Name: value' nor a continuation line; "
                                           "correct it, or choose another --format");
      }
      first = first == 0 ? source_->line() : first;
      stanza_ += stanza_.empty() ? "" : "\n";
      stanza_ += line;
    }
  }

  const std::string key_name_;
  const std::string value_name_;
  std::string stanza_;
};

}  // namespace

std::optional<std::string_view> StanzaField(std::string_view stanza, std::string_view name) {
  while (!stanza.empty()) {
    const size_t end = std::min(stanza.find('\n'), stanza.size());
    const std::string_view line = stanza.substr(0, end);
    const size_t colon = line.find(':');
    if (!Continues(line) && colon != std::string_view::npos &&
        SameName(line.substr(0, colon), name)) {
      size_t stop = end;
      while (stop < stanza.size() && Continues(stanza.substr(stop + 1))) {
        stop = std::min(stanza.find('\n', stop + 1), stanza.size());
      }
      const size_t begin = stanza.find_first_not_of(" \t", colon + 1);
      return begin >= stop ? std::string_view() : stanza.substr(begin, stop - begin);
    }
    stanza.remove_prefix(std::min(end + 1, stanza.size()));
  }
  return std::nullopt;
}

std::unique_ptr<RecordReader> NewDeb822Reader(std::unique_ptr<LineSource> source,
                                              const Fields& fields) {
  return std::make_unique<Deb822Reader>(std::move(source), fields);
}

}  // namespace luna::records
