// Arguments: bytes as the command line gives them, and the range a scan is asked for.
// Thread rule: pure functions.
#pragma once

#include <string>

#include "apps/luna/request.h"
#include "luna/options.h"
#include "luna/status.h"

namespace luna::cli {

// The bytes an argument stands for: with --escaped its escapes are undone. kBadInput.
Result<std::string> BytesOf(const Request& request, const std::string& argument);
// The key of the request, which must have one.
Result<std::string> KeyOf(const Request& request);
// Begin, end, prefix, direction, limit and time of the request.
Result<ScanOptions> RangeOf(const Request& request);
// All of standard input.
Result<std::string> ReadStandardInput();

}  // namespace luna::cli
