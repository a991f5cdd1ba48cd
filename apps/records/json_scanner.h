// JsonScanner: reads one JSON text (RFC 8259), strictly, keeping the text of what it reads: numbers
// and nested values come out as they were written, which a parser into numbers and maps would lose.
// Thread rule: owned by one thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace luna::records {

class JsonScanner {
 public:
  // `text` outlives the scanner.
  explicit JsonScanner(std::string_view text) : text_(text) {}

  // The fields of the object that is the whole text: name (decoded) and value (its text). False: it
  // is no valid JSON or no object; problem() and column() say why and where.
  bool ScanObject(const std::function<void(std::string_view name, std::string_view value)>& field);

  const std::string& problem() const { return problem_; }
  size_t column() const { return at_ + 1; }

  // The string of the JSON string `text`, quotes included, which ScanObject accepted.
  static std::string Decode(std::string_view text);

 private:
  bool Fail(std::string problem);
  void SkipSpace();
  bool Take(char c);
  bool ScanMembers(const std::function<void(std::string_view, std::string_view)>& field, int depth);
  bool ScanValue(int depth);
  bool ScanArray(int depth);
  bool ScanString();
  bool ScanEscape();
  bool ScanNumber();
  bool ScanWord(std::string_view word);
  bool ScanDigits();

  std::string_view text_;
  size_t at_ = 0;
  std::string problem_;
};

}  // namespace luna::records
