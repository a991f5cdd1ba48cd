// Terminal: the screen in full, keys as they are pressed, and signals as events; as it was before
// once it is destroyed.
// Thread rule: owned by one thread, made before others are.
#pragma once

#include <termios.h>

#include <cstdint>
#include <string>
#include <vector>

#include "luna/status.h"

namespace luna::top {

class Terminal {
 public:
  // Both of stdin and stdout.
  static bool IsThere();

  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  size_t columns() const;
  size_t rows() const;
  void Show(const std::vector<std::string>& lines);
  // False when the user or a signal asks for the end before `millis` have passed.
  bool Wait(int64_t millis);

 private:
  bool Stops();  // takes what was pressed

  termios before_ = {};
  int signals_ = -1;
};

}  // namespace luna::top
