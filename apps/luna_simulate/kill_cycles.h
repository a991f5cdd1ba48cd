// kill_cycles: a child process that writes with an acknowledged-write ledger, ended by kill -9, and
// the check of what it left.
// Each of four writers commits 1, 2, 3, …: number n goes, in one transaction, to the slot
// n % kSlots of both collections. After the answer the writer notes n in the ledger file, so that
// every number up to the noted one is acknowledged and at most one more was under way.
// Thread rule: functions are called by one thread; the child runs four of its own.
#pragma once

#include <cstdint>
#include <string>

#include "support/isolated_run.h"

namespace luna::simulate {

// Writes in `directory` until it is killed; an error ends it with its text on stderr.
int RunKillChild(const std::string& directory);
// One cycle: a child of this program (`program` is its path) writes for a while drawn from `seed`,
// is killed, and everything acknowledged is looked for.
test::Verdict RunKillCycle(const std::string& program, const std::string& directory,
                           uint64_t seed);

}  // namespace luna::simulate
