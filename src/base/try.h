// TRY: the value of a Result, or return its error from the enclosing function.
// The one use of a language extension (statement expressions); both compilers support it.
#pragma once

#include <utility>

#include "luna/status.h"

// Do not nest TRY inside TRY's argument; name the inner value instead.
#define TRY(expression)                                \
  __extension__({                                      \
    auto luna_result = (expression);                   \
    if (!luna_result.ok()) [[unlikely]] {              \
      return luna_result.error();                      \
    }                                                  \
    std::move(luna_result).value();                    \
  })
