// The verbs of `luna`, a function each: exit code, or the error that ends the program with
// kExitError. A verb opens its session itself and closes it before it returns.
// Thread rule: called once, from main.
#pragma once

#include "apps/luna/request.h"
#include "luna/status.h"

namespace luna::cli {

using Verb = Result<int> (*)(const Request&);

// read.cc
Result<int> Get(const Request& request);
Result<int> Scan(const Request& request);
Result<int> Count(const Request& request);
// write.cc
Result<int> Put(const Request& request);
Result<int> Delete(const Request& request);
Result<int> Increment(const Request& request);
// names.cc
Result<int> ListDatabases(const Request& request);
Result<int> ListCollections(const Request& request);
Result<int> Create(const Request& request);
Result<int> Drop(const Request& request);
Result<int> Rename(const Request& request);
// load.cc, export.cc
Result<int> Load(const Request& request);
Result<int> Export(const Request& request);
// upkeep.cc
Result<int> Flush(const Request& request);
Result<int> Compact(const Request& request);
Result<int> Verify(const Request& request);
Result<int> Checkpoint(const Request& request);
Result<int> Backup(const Request& request);
Result<int> Restore(const Request& request);
// statistics.cc
Result<int> ShowStats(const Request& request);
// demo.cc; DemoLoad is the process that the demonstration kills
Result<int> Demo(const Request& request);
Result<int> DemoLoad(const Request& request);

}  // namespace luna::cli
