#include "apps/luna/argument.h"

#include <cstdio>
#include <optional>
#include <utility>

#include "apps/output/escape.h"
#include "base/try.h"

namespace luna::cli {

Result<std::string> BytesOf(const Request& request, const std::string& argument) {
  if (!request.escaped) {
    return argument;
  }
  std::optional<std::string> bytes = output::Unescape(argument);
  if (!bytes.has_value()) {
    return Error(Reason::kBadInput, "'" + argument +
                                        "' has a backslash that is no escape; with --escaped "
                                        "write \\\\ \\t \\n \\r or \\xNN");
  }
  return std::move(*bytes);
}

Result<std::string> KeyOf(const Request& request) {
  return BytesOf(request, request.key.value_or(""));
}

Result<ScanOptions> RangeOf(const Request& request) {
  ScanOptions options;
  options.begin = TRY(BytesOf(request, request.begin));
  options.end = TRY(BytesOf(request, request.end));
  options.prefix = TRY(BytesOf(request, request.prefix));
  options.reverse = request.reverse;
  options.limit = request.limit;
  options.at = request.at;
  return options;
}

Result<std::string> ReadStandardInput() {
  std::string bytes;
  char chunk[64 << 10];
  for (size_t got = 0; (got = std::fread(chunk, 1, sizeof(chunk), stdin)) > 0;) {
    bytes.append(chunk, got);
  }
  if (std::ferror(stdin) != 0) {
    return Error(Reason::kIoError, "standard input cannot be read; pipe a value into luna");
  }
  return bytes;
}

}  // namespace luna::cli
