// model_generator: a script of random steps from a seed: the whole public API, with reopening under
// other options, power cuts and faults in between.
// Thread rule: pure function.
#pragma once

#include <cstdint>

#include "model/model_script.h"

namespace luna::test {

ModelScript GenerateScript(uint64_t seed);

}  // namespace luna::test
