// storage: buckets of immutable objects (Kernel contract K6). An object is written once under a
// name that is never used again, becomes visible whole and durable when Finish returns, and is then
// only read, linked or removed.
// Thread rule: Storage and ObjectReader are safe; an ObjectWriter is owned by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "luna/status.h"

namespace luna::storage {

class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;  // unfinished: nothing of the object remains
  virtual Status Append(std::string_view bytes) = 0;
  // Makes the object durable and visible. kObjectExists if the name was taken meanwhile.
  virtual Status Finish() = 0;
  virtual uint64_t size() const = 0;  // bytes appended
};

class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  // Exactly `length` bytes at `offset` into `to`; kLostData (name, offset) if the object is
  // shorter.
  virtual Status Read(uint64_t offset, size_t length, char* to) const = 0;
  // The same if that needs no device and no network; false: it would, or it cannot be told.
  virtual Result<bool> ReadCached(uint64_t, size_t, char*) const { return false; }
  virtual uint64_t size() const = 0;
  virtual const std::string& name() const = 0;  // "bucket/object", for messages
};

class Storage {
 public:
  virtual ~Storage() = default;
  // Names are [A-Za-z0-9._-]+. kObjectExists if the object is there.
  virtual Result<std::unique_ptr<ObjectWriter>> Create(const std::string& bucket,
                                                       const std::string& object) = 0;
  virtual Result<std::unique_ptr<ObjectReader>> Open(const std::string& bucket,
                                                     const std::string& object) = 0;
  virtual Result<std::vector<std::string>> List(
      const std::string& bucket) = 0;  // sorted; none = empty
  virtual Result<std::vector<std::string>> ListBuckets() = 0;
  virtual Status Remove(const std::string& bucket,
                        const std::string& object) = 0;        // missing is fine
  virtual Status RemoveBucket(const std::string& bucket) = 0;  // with all in it; missing is fine
  // Objects somebody began to write and has not finished: they are being written, here or
  // elsewhere, or their writer died. Nothing where such rests go by themselves.
  virtual Result<std::vector<std::string>> ListUnfinished(const std::string&) {
    return std::vector<std::string>();
  }
  // Removes what an object's unfinished writers left; one that is finished stays as it is.
  virtual Status RemoveUnfinished(const std::string&, const std::string&) { return {}; }
  // Checkpoint: the object also appears in the storage below `directory`, without a copy where the
  // medium allows it.
  virtual Status Link(const std::string& bucket, const std::string& object,
                      const std::string& directory) = 0;
};

}  // namespace luna::storage
