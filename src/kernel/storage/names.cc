#include "kernel/storage/names.h"

#include <algorithm>
#include <cctype>

#include "base/try.h"

namespace luna::storage {

namespace {

constexpr size_t kMaxNameBytes = 200;  // leaves room for the suffix below the usual limit of 255

}  // namespace

Status CheckName(std::string_view what, const std::string& name) {
  const bool good = !name.empty() && name.size() <= kMaxNameBytes && name != "." && name != ".." &&
                    std::all_of(name.begin(), name.end(), [](unsigned char c) {
                      return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
                    });
  if (good && !name.ends_with(kNewSuffix)) {
    return {};
  }
  return Error(Reason::kBadName, std::string(what) + " name '" + name +
                                     "': use 1 to 200 of A-Z a-z 0-9 . _ -, not ending in .new");
}

Status CheckNames(const std::string& bucket, const std::string& object) {
  TRY(CheckName("bucket", bucket));
  return CheckName("object", object);
}

}  // namespace luna::storage
