// Inheritance: what a group that followed leaves to the one that leads here next: the memtables of
// its tablets, clocks and outcomes, as of one record of the stream. They are a function of the
// records up to it, so who leads has the same.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/catalog/edits.h"
#include "engine/group/outcome_table.h"
#include "engine/memstore/memstore.h"
#include "kernel/journal/journal.h"
#include "kernel/journal/read_ahead.h"

namespace luna::group {

struct Inheritance {
  struct Home {  // of a database
    Timestamp newest = 0;
    Timestamp limit = 0;
    OutcomeTable outcomes{};
  };
  journal::Sequence applied = 0;       // the last record that is in it
  Timestamp closed = 0;                // of all databases
  journal::Epoch begun = 0;            // the newest that did
  std::vector<std::string> removed{};  // servers that may not lead
  // At the record behind `applied`, which is far into a segment; null: whoever goes on looks for
  // it.
  std::unique_ptr<journal::ReadAhead> reader{};
  std::map<catalog::DatabaseId, Home> databases{};
  std::map<uint64_t, memstore::Memstore::Contents> tablets{};  // by qualified id
};

// Of clocks, outcomes and active memtables: who leads and who follows agree on it at equal records
// (invariant I9). Frozen memtables are left out: when they go is each one's affair.
uint64_t Digest(const Inheritance& inheritance);

}  // namespace luna::group
