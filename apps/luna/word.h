// Words of the command line: numbers that are whole and fit, and what a mistyped verb may have
// been. Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace luna::cli {

// What is wrong with `text` as a number of that kind; empty if nothing is. Without this a negative
// or a huge number would silently become another one.
std::string WhyNoCount(const std::string& text);  // 0 to 2^64 - 1
std::string WhyNoInteger(const std::string& text);
std::string WhyNoSeconds(const std::string& text);  // 0.001 to 1e10

// The one of `known` that `word` is most like, if it is alike at all; else empty.
std::string_view Closest(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace luna::cli
