// TSV: a line a record, columns between tabs, escapes \\ \t \n \r \xNN (none with `raw`).
#include <utility>
#include <vector>

#include "apps/output/escape.h"
#include "apps/records/columns.h"
#include "apps/records/record_reader.h"
#include "base/try.h"

namespace luna::records {
namespace {

class TsvReader final : public RecordReader {
 public:
  TsvReader(std::unique_ptr<LineSource> source, const Fields& fields)
      : RecordReader(std::move(source)), columns_(fields), raw_(fields.raw) {}

  Result<std::optional<Record>> Next() override {
    for (;;) {
      const std::optional<std::string_view> next = TRY(source_->Next());
      if (!next.has_value()) {
        return std::optional<Record>();
      }
      std::string_view line = *next;
      if (line.ends_with('\r') && !raw_) {
        line.remove_suffix(1);
      }
      if (line.empty()) {
        continue;
      }
      TRY(Split(line));
      Record record{.key = {}, .value = {}, .line = source_->line()};
      if (!columns_.wants_names()) {
        if (const auto wrong = columns_.Choose(cells_, line, record)) {
          return Bad(record.line, *wrong);
        }
        return std::optional<Record>(record);
      }
      if (const auto wrong = columns_.ReadNames(cells_)) {
        return Error(Reason::kBadOption, source_->name() + ": " + *wrong);
      }
    }
  }

 private:
  Status Split(std::string_view line) {
    cells_.clear();
    for (;;) {
      const size_t tab = line.find('\t');
      const std::string_view cell = line.substr(0, tab);
      if (raw_ || cell.find('\\') == std::string_view::npos) {
        cells_.emplace_back(cell);
      } else if (auto bytes = output::Unescape(cell)) {
        cells_.push_back(std::move(*bytes));
      } else {
        return Bad(source_->line(),
                   "column " + std::to_string(cells_.size() + 1) +
                       " has a backslash that is no escape (\\\\ \\t \\n \\r \\xNN); write \\\\ "
                       "for a backslash, or use --raw for text without escapes");
      }
      if (tab == std::string_view::npos) {
        return {};
      }
      line.remove_prefix(tab + 1);
    }
  }

  Columns columns_;
  const bool raw_;
  std::vector<std::string> cells_;
};

}  // namespace

std::unique_ptr<RecordReader> NewTsvReader(std::unique_ptr<LineSource> source,
                                           const Fields& fields) {
  return std::make_unique<TsvReader>(std::move(source), fields);
}

}  // namespace luna::records
