#include "engine/universe/scan_iterator.h"

#include <algorithm>

namespace luna::universe {

entry::KeyRange RangeOf(const ScanOptions& options) {
  entry::KeyRange range{.begin = std::max(options.begin, options.prefix), .end = options.end};
  if (!options.prefix.empty()) {
    const std::string end = entry::PrefixEnd(options.prefix);
    if (!end.empty() && (range.end.empty() || end < range.end)) {
      range.end = end;
    }
  }
  // An inverted range shows nothing: an empty `end` would mean the opposite.
  if (!range.end.empty() && range.end < range.begin) {
    range.end = range.begin;
  }
  return range;
}

}  // namespace luna::universe
