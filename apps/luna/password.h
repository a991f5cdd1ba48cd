// The password, from a file or from the terminal.
// Thread rule: called once, from main.
#pragma once

#include <string>

#include "luna/status.h"

namespace luna::cli {

// The first line of the file. kFileMissing.
Result<std::string> PasswordFrom(const std::string& path);
// Asks without showing what is typed. kBadOption: there is no terminal.
Result<std::string> AskForPassword();

}  // namespace luna::cli
