// random_model: one seed or one script as a verdict, in a child process, and shrinking.
// Thread rule: called by one thread of a process that has no others.
#pragma once

#include <cstdint>
#include <functional>

#include "model/model_script.h"
#include "support/isolated_run.h"

namespace luna::test {

Verdict RunModelScript(const ModelScript& script);
inline constexpr unsigned kShrinkTries = 400;
// The smallest script found that still fails: lines are left out, then operations of transactions.
// `fails` is asked at most `tries` times.
ModelScript Shrink(ModelScript script, const std::function<bool(const ModelScript&)>& fails,
                   unsigned tries = kShrinkTries);
// Runs the script of a seed; a failure comes shrunk, with its script and how to keep it.
Verdict RunModelSeed(uint64_t seed, bool shrink = true);

}  // namespace luna::test
