// A universe copied to another place, as it lies there: streams record by record with the same
// sequences and epochs, objects byte by byte under the same names. Nothing in them says where they
// lie, and checksums are salted with numbers that are copied, too. Only the epoch of each stream
// is raised by one in the copy, so that nothing which the original makes from now on is named like
// something that the copy makes.
// Thread rule: functions are safe; an UnfinishedUniverse is owned by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "kernel/kernel.h"

namespace luna::kernel {

// A universe in the making: nobody can open it before Finish. What is not finished stays as it is,
// and is replaced by whoever says so.
class UnfinishedUniverse {
 public:
  virtual ~UnfinishedUniverse() = default;
  virtual journal::Journal& journal() = 0;
  virtual storage::Storage& storage() = 0;
  virtual runtime::Runtime& runtime() = 0;
  // Gives it an identity of its own: from here on it opens. kBackPressure when somebody else has
  // replaced it meanwhile.
  virtual Status Finish() = 0;
};

// Begins one at a rados: location, which must be empty; with `replace` it may hold one that was
// not finished. kForeignDirectory: something else is there. kNotSupported for other locations, and
// in a build without LUNA_RADOS. `runtime` outlives the result.
Result<std::unique_ptr<UnfinishedUniverse>> BeginUniverse(const std::string& url,
                                                          runtime::Runtime& runtime, bool replace);

struct CopyProgress {
  uint64_t streams = 0;
  uint64_t records = 0;
  uint64_t objects = 0;
  uint64_t objects_in_all = 0;
  uint64_t bytes = 0;  // of records and objects
};

// Nobody else may have `from` open. `tell` is called after every batch of records and every object.
// Errors: those of reading and writing, kStreamExists, kObjectExists.
Result<CopyProgress> CopyUniverse(Kernel& from, UnfinishedUniverse& to,
                                  const std::function<void(const CopyProgress&)>& tell);

}  // namespace luna::kernel
