#include "apps/records/columns.h"

#include <algorithm>
#include <charconv>

#include "apps/output/escape.h"

namespace luna::records {

Columns::Column Columns::Parse(const std::string& field) {
  Column column{.name = field};
  const auto [end, error] =
      std::from_chars(field.data(), field.data() + field.size(), column.number);
  if (error != std::errc() || end != field.data() + field.size()) {
    column.number = 0;
  }
  return column;
}

Columns::Columns(const Fields& fields)
    : two_columns_(fields.key.empty() && fields.value.empty()),
      key_(Parse(fields.key.empty() ? "1" : fields.key)) {
  if (two_columns_) {
    value_ = Column{.name = "2", .number = 2};
  } else if (!fields.value.empty()) {
    value_ = Parse(fields.value);
  }
  wants_names_ = key_.number == 0 || (value_.has_value() && value_->number == 0);
}

std::optional<std::string> Columns::ReadNames(const std::vector<std::string>& names) {
  for (Column* column : {&key_, value_.has_value() ? &*value_ : nullptr}) {
    if (column == nullptr || column->number != 0) {
      continue;
    }
    const auto found = std::find(names.begin(), names.end(), column->name);
    if (found == names.end()) {
      return "no column is named '" + output::Escape(column->name) +
             "'; the first line must name the columns, or give a column's number";
    }
    column->number = static_cast<size_t>(found - names.begin()) + 1;
  }
  wants_names_ = false;
  return std::nullopt;
}

std::optional<std::string> Columns::Choose(const std::vector<std::string>& columns,
                                           std::string_view whole, Record& record) const {
  if (two_columns_ && columns.size() != 2) {
    return std::to_string(columns.size()) +
           " column(s) where key and value are expected; name the columns with --key and --value";
  }
  const size_t last = std::max(key_.number, value_.has_value() ? value_->number : 0);
  if (columns.size() < last) {
    return "only " + std::to_string(columns.size()) + " column(s), but column " +
           std::to_string(last) + " is needed; complete the line";
  }
  record.key = columns[key_.number - 1];
  record.value = value_.has_value() ? std::string_view(columns[value_->number - 1]) : whole;
  return std::nullopt;
}

}  // namespace luna::records
