#include "apps/luna/password.h"

#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>

namespace luna::cli {

Result<std::string> PasswordFrom(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) {
    return Error(Reason::kFileMissing,
                 path + ": no password can be read from it; correct --password-file");
  }
  return line;
}

Result<std::string> AskForPassword() {
  termios before = {};
  if (tcgetattr(STDIN_FILENO, &before) != 0) {
    return Error(Reason::kBadOption,
                 "--ask needs a terminal; give LUNA_PASSWORD or --password-file");
  }
  std::fputs("password: ", stderr);
  termios silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  std::string word;
  std::getline(std::cin, word);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  std::fputs("\n", stderr);
  return word;
}

}  // namespace luna::cli
