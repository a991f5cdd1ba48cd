#include "engine/levels/levels.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

#include "base/coding.h"
#include "base/text.h"
#include "base/try.h"

namespace luna::levels {

namespace {

uint64_t BytesOf(const table::TableRow& row) {
  return row.size + row.blob_bytes;
}

// Does everything `a` covers come before everything `b` covers? `a.smallest` ≤ `b.smallest`.
bool EndsBefore(const table::TableRow& a, const table::TableRow& b) {
  if (a.unbounded) {
    return false;
  }
  return a.largest_exclusive ? a.largest <= b.smallest : a.largest < b.smallest;
}

std::string Span(const table::TableRow& row) {
  const std::string end = row.unbounded ? "…" : base::Printable(row.largest, 24);
  return "[" + base::Printable(row.smallest, 24) + ".." + end +
         (row.largest_exclusive || row.unbounded ? ")" : "]");
}

// Level 0: what a reader should ask first comes first.
void SortNewestFirst(std::vector<Row>& rows) {
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    if (a->max_timestamp != b->max_timestamp) {
      return a->max_timestamp > b->max_timestamp;
    }
    return a->object < b->object;
  });
}

void SortByKey(std::vector<Row>& rows) {
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a->smallest != b->smallest ? a->smallest < b->smallest : a->object < b->object;
  });
}

Status CheckDisjoint(int level, const std::vector<Row>& rows) {
  for (size_t i = 1; i < rows.size(); ++i) {
    if (!EndsBefore(*rows[i - 1], *rows[i])) {
      return Error(Reason::kBadFormat, "tables " + rows[i - 1]->object + " " + Span(*rows[i - 1]) +
                                           " and " + rows[i]->object + " " + Span(*rows[i]) +
                                           " overlap in level " + std::to_string(level));
    }
  }
  return {};
}

Status CheckAdded(int level, const table::TableRow& row) {
  if (level < 0 || level >= kLevels) {
    return Error(Reason::kBadFormat, "table " + row.object + " cannot be added to level " +
                                         std::to_string(level) + ": there is no such level");
  }
  if (!row.unbounded &&
      (row.largest < row.smallest || (row.largest_exclusive && row.largest == row.smallest))) {
    return Error(Reason::kBadFormat,
                 "the keys of table " + row.object + " end before they begin: " + Span(row));
  }
  return {};
}

}  // namespace

bool Touches(const table::TableRow& row, const entry::KeyRange& range) {
  if (range.empty() || (!range.end.empty() && row.smallest >= range.end)) {
    return false;
  }
  if (row.unbounded) {
    return true;
  }
  return row.largest_exclusive ? row.largest > range.begin : row.largest >= range.begin;
}

bool Covers(const table::TableRow& row, std::string_view key) {
  if (key < row.smallest) {
    return false;
  }
  return row.unbounded || (row.largest_exclusive ? key < row.largest : key <= row.largest);
}

std::shared_ptr<const Levels> Levels::Empty() {
  return std::make_shared<const Levels>();
}

Result<std::shared_ptr<const Levels>> Levels::Apply(const Change& change) const {
  auto next = std::make_shared<Levels>(*this);
  std::set<std::string_view> removed(change.removed.begin(), change.removed.end());
  std::set<std::string_view> added;
  for (const auto& [level, row] : change.added) {
    TRY(CheckAdded(level, *row));
    if (!added.insert(row->object).second) {
      return Error(Reason::kBadFormat, "table " + row->object + " is to be added twice");
    }
  }
  for (auto& rows : next->levels_) {
    std::erase_if(rows, [&](const Row& row) { return removed.erase(row->object) > 0; });
    for (const Row& row : rows) {
      if (added.contains(row->object)) {
        return Error(Reason::kBadFormat,
                     "table " + row->object + " is to be added but is there already");
      }
    }
  }
  if (!removed.empty()) {
    return Error(Reason::kBadFormat,
                 "table " + std::string(*removed.begin()) + " is to be removed but is not there");
  }
  std::set<int> touched;
  for (const auto& [level, row] : change.added) {
    next->levels_[level].push_back(row);
    touched.insert(level);
  }
  for (int level : touched) {
    auto& rows = next->levels_[level];
    if (level == 0) {
      SortNewestFirst(rows);
      continue;
    }
    SortByKey(rows);
    TRY(CheckDisjoint(level, rows));
  }
  for (int n = 0; n < kLevels; ++n) {
    next->bytes_[n] = 0;
    for (const Row& row : next->levels_[n]) {
      next->bytes_[n] += BytesOf(*row);
    }
  }
  return std::shared_ptr<const Levels>(std::move(next));
}

uint64_t Levels::total_bytes() const {
  uint64_t sum = 0;
  for (uint64_t bytes : bytes_) {
    sum += bytes;
  }
  return sum;
}

size_t Levels::tables() const {
  size_t sum = 0;
  for (const auto& rows : levels_) {
    sum += rows.size();
  }
  return sum;
}

int Levels::deepest() const {
  for (int n = kLevels - 1; n > 0; --n) {
    if (!levels_[n].empty()) {
      return n;
    }
  }
  return 0;
}

bool Levels::Contains(const std::string& object) const {
  for (const auto& rows : levels_) {
    for (const Row& row : rows) {
      if (row->object == object) {
        return true;
      }
    }
  }
  return false;
}

std::vector<Row> Levels::Overlapping(int n, const entry::KeyRange& range) const {
  const std::vector<Row>& rows = levels_[n];
  std::vector<Row> found;
  if (n == 0) {
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(found),
                 [&](const Row& row) { return Touches(*row, range); });
    return found;
  }
  auto row = std::partition_point(rows.begin(), rows.end(), [&](const Row& one) {
    return !Touches(*one, entry::KeyRange{range.begin, ""});
  });
  for (; row != rows.end() && Touches(**row, range); ++row) {
    found.push_back(*row);
  }
  return found;
}

void Levels::Encode(std::string& out) const {
  for (const auto& rows : levels_) {
    base::PutVarint(out, rows.size());
    for (const Row& row : rows) {
      table::EncodeTableRow(*row, out);
    }
  }
}

Result<std::shared_ptr<const Levels>> Levels::Decode(base::ByteReader& reader) {
  Change change;
  for (int n = 0; n < kLevels; ++n) {
    const uint64_t count = reader.Varint();
    for (uint64_t i = 0; i < count && reader.ok(); ++i) {
      change.added.emplace_back(
          n, std::make_shared<const table::TableRow>(table::DecodeTableRow(reader)));
    }
  }
  if (!reader.ok()) {
    return Error(Reason::kBadFormat, "the list of tables ends too early");
  }
  return Empty()->Apply(change);
}

std::string Levels::ToString() const {
  std::string text;
  for (int n = 0; n < kLevels; ++n) {
    if (levels_[n].empty()) {
      continue;
    }
    text += "L" + std::to_string(n) + ":";
    for (const Row& row : levels_[n]) {
      text += " " + Span(*row);
    }
    text += "\n";
  }
  return text;
}

}  // namespace luna::levels
