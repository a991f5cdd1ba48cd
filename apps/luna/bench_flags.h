// The arguments of `luna bench`.
// Thread rule: called once, from main.
#pragma once

#include <CLI/CLI.hpp>

#include "apps/bench/settings.h"

namespace luna::cli {

// Gives the verb its options, which fill the settings; both outlive the parsing.
void AddBenchFlags(CLI::App& bench, bench::Settings& settings);

}  // namespace luna::cli
