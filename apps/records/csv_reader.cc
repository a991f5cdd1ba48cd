// CSV as RFC 4180 has it: commas, cells in quotes may hold commas, newlines and "" for a quote.
#include <utility>
#include <vector>

#include "apps/records/columns.h"
#include "apps/records/record_reader.h"
#include "base/try.h"

namespace luna::records {
namespace {

class CsvReader final : public RecordReader {
 public:
  CsvReader(std::unique_ptr<LineSource> source, const Fields& fields)
      : RecordReader(std::move(source)), columns_(fields) {}

  Result<std::optional<Record>> Next() override {
    for (;;) {
      const uint64_t line = TRY(ReadRecord());
      if (line == 0) {
        return std::optional<Record>();
      }
      Record record{.key = {}, .value = {}, .line = line};
      if (!columns_.wants_names()) {
        if (const auto wrong = columns_.Choose(cells_, whole_, record)) {
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
  // Fills whole_ and cells_; the number of the first line, 0 at the end.
  Result<uint64_t> ReadRecord() {
    whole_.clear();
    cells_.assign(1, {});
    uint64_t first = 0;
    for (State state = State::kCellBegin;;) {
      const std::optional<std::string_view> next = TRY(source_->Next());
      if (!next.has_value()) {
        if (state == State::kQuoted) {
          return Bad(first, "a quote is opened and never closed; close it");
        }
        return uint64_t{0};
      }
      const std::string_view line = next->substr(0, next->size() - (next->ends_with('\r') ? 1 : 0));
      if (first == 0 && line.empty()) {
        continue;
      }
      first = first == 0 ? source_->line() : first;
      // Within quotes the bytes of the line's end belong to the cell.
      state = TRY(Parse(state == State::kQuoted ? *next : line, *next, state, first));
      if (state != State::kQuoted) {
        whole_.resize(whole_.size() - (whole_.ends_with('\r') ? 1 : 0));
        return first;
      }
      whole_ += '\n';
      cells_.back() += '\n';
    }
  }

  enum class State { kCellBegin, kPlain, kQuoted, kAfterQuote };

  // `line` is without the carriage return of `full`, which comes back if a quote is still open.
  Result<State> Parse(std::string_view line, std::string_view full, State state, uint64_t first) {
    for (size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (state == State::kQuoted) {
        if (c != '"') {
          cells_.back() += c;
        } else if (i + 1 < line.size() && line[i + 1] == '"') {
          cells_.back() += line[++i];
        } else {
          state = State::kAfterQuote;
        }
      } else if (c == ',') {
        cells_.emplace_back();
        state = State::kCellBegin;
      } else if (c == '"' && state == State::kCellBegin) {
        state = State::kQuoted;
      } else if (c == '\r' && i + 1 == line.size()) {
        break;
      } else if (c == '"' || state == State::kAfterQuote) {
        return Bad(first, "column " + std::to_string(cells_.size()) +
                              " has a quote in the middle; put the whole column in quotes and "
                              "write \"\" for a quote");
      } else {
        cells_.back() += c;
        state = State::kPlain;
      }
    }
    if (state == State::kQuoted && full.size() > line.size()) {
      cells_.back() += '\r';
    }
    whole_ += state == State::kQuoted ? full : line;
    return state;
  }

  Columns columns_;
  std::string whole_;
  std::vector<std::string> cells_;
};

}  // namespace

std::unique_ptr<RecordReader> NewCsvReader(std::unique_ptr<LineSource> source,
                                           const Fields& fields) {
  return std::make_unique<CsvReader>(std::move(source), fields);
}

}  // namespace luna::records
