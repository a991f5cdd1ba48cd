// The arguments of `luna bench` and `luna top`.
// Thread rule: called once, from main.
#pragma once

#include <CLI/CLI.hpp>

#include "apps/bench/settings.h"
#include "apps/top/top.h"

namespace luna::cli {

// Gives the verb its options, which fill the settings; both outlive the parsing.
void AddBenchFlags(CLI::App& bench, bench::Settings& settings);
// Of `target` only where and as whom.
void AddTopFlags(CLI::App& top, top::Settings& settings);

}  // namespace luna::cli
