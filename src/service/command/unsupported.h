// The commands of Redis that Luna does not have, with the reason that the error gives. The error
// still starts with "ERR unknown command", which client libraries fall back on.
// Thread rule: pure functions.
#pragma once

#include <string_view>

namespace luna::command {

// "values are strings; there are no hashes"; "" for a name that is not one of Redis' either.
std::string_view WhyUnsupported(std::string_view lower_case_name);

}  // namespace luna::command
