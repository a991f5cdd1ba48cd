// Columns: which columns of a TSV or CSV file are key and value.
//   nothing named       exactly two columns: key, value
//   a number            that column, from 1
//   anything else       the column of that name; the first line of the file names the columns
//   key only            the value is the whole record, as it stands in the file
// Thread rule: owned by one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/records/record_reader.h"

namespace luna::records {

class Columns {
 public:
  explicit Columns(const Fields& fields);

  // True until the line with the names was given to ReadNames.
  bool wants_names() const { return wants_names_; }
  // What is wrong; nothing if every column was found.
  std::optional<std::string> ReadNames(const std::vector<std::string>& names);
  // Chooses key and value from a record's columns; `whole` is its text. What is wrong, or nothing.
  std::optional<std::string> Choose(const std::vector<std::string>& columns, std::string_view whole,
                                    Record& record) const;

 private:
  struct Column {
    std::string name;
    size_t number = 0;  // from 1; 0: not known (yet)
  };
  static Column Parse(const std::string& field);

  const bool two_columns_;
  Column key_;
  std::optional<Column> value_;
  bool wants_names_;
};

}  // namespace luna::records
