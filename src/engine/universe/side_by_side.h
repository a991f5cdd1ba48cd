// side_by_side: tasks that mostly wait for the store, several at a time.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "luna/status.h"
#include "runtime/runtime.h"

namespace luna::universe {

// Runs all of them, on at most eight threads (`name`), and waits; the error of the first in order
// that had one.
Status SideBySide(runtime::Runtime& runtime, const std::string& name,
                  std::span<const std::function<Status()>> tasks);

}  // namespace luna::universe
