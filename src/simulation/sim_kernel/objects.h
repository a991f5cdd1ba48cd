// Objects: what one server does with the objects of a space, and which of them its readers have.
// Whatever is asked for may arrive twice or late, so an object is known by name and id.
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "luna/status.h"
#include "simulation/sim_kernel/endpoint.h"

namespace luna::sim_kernel {

// An object as a server knows it.
struct KnownObject {
  std::string name = {};  // "bucket/object"
  uint64_t id = 0;        // 0: there is none
  uint64_t size = 0;
  bool taken = false;  // the name is, also when the object was removed
};

// What came of an attempt to make an object.
enum class Put : uint8_t {
  kDone,
  kTaken,    // the name is
  kFull,     // the store is
  kMissing,  // there is nothing to link
};

class Objects {
 public:
  explicit Objects(std::shared_ptr<Endpoint> endpoint) : endpoint_(std::move(endpoint)) {}

  // --- At the store. Errors: no answer ---
  Result<KnownObject> Look(const std::string& name);
  // Names that begin with `prefix`, sorted, without it.
  Result<std::vector<std::string>> List(const std::string& prefix);
  Result<Put> Write(const std::string& name, std::shared_ptr<const std::string> bytes);
  // Nothing when the object is gone.
  Result<std::optional<std::string>> Read(const KnownObject& known, uint64_t offset, size_t length);
  Status Remove(const KnownObject& known);
  // kBadOption.
  Result<Put> Link(const std::string& name, const std::string& location);

  // --- Here ---
  // Counts a reader; false when the object was removed here.
  bool Take(const std::string& name);
  void Give(const std::string& name);
  // True when readers have it: then it goes later.
  bool RemoveLater(const KnownObject& known);
  bool IsRemoved(const std::string& name) const;

  Error Missing(const std::string& name) const;
  Error Full(const std::string& name) const;

 private:
  struct Use {
    uint64_t readers = 0;
    std::optional<KnownObject> removed = {};
  };

  const std::shared_ptr<Endpoint> endpoint_;
  std::map<std::string, Use> uses_;
};

}  // namespace luna::sim_kernel
