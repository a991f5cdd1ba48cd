// OpenedStream: what one opening of a stream in the simulated store knows of it. SimReader: reads
// its records; what it fetched may be old by the time it comes, never wrong.
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernel/journal/journal.h"
#include "simulation/sim_kernel/endpoint.h"

namespace luna::sim_kernel {

// Shared by the stream and its readers, which may outlive it.
struct OpenedStream {
  std::shared_ptr<Endpoint> endpoint;
  std::string name;
  uint64_t id = 0;
  StreamView view = {};  // the newest that came

  std::string object() const { return "stream/" + name; }
  std::string where() const { return endpoint->Where(object()); }
  void Learn(const StreamView& news);
  Error Missing() const;
  Error Released(Sequence after) const;
};

class SimReader final : public journal::StreamReader {
 public:
  SimReader(std::shared_ptr<OpenedStream> opened, Sequence after)
      : opened_(std::move(opened)), after_(after) {}

  Result<std::optional<journal::Record>> Next() override;

 private:
  Status Fetch();

  const std::shared_ptr<OpenedStream> opened_;
  Sequence after_;  // the last one given
  std::vector<StoredRecord> fetched_;
  size_t next_ = 0;  // in fetched_
};

// One question a look; it is the newest of the store when it is asked.
class SimFollower final : public journal::StreamFollower {
 public:
  SimFollower(std::shared_ptr<Endpoint> endpoint, std::string name)
      : endpoint_(std::move(endpoint)), name_(std::move(name)) {}

  Result<journal::StreamState> Look() override;
  Result<std::unique_ptr<journal::StreamReader>> Read(Sequence after) override;

 private:
  const std::shared_ptr<Endpoint> endpoint_;
  const std::string name_;
  std::shared_ptr<OpenedStream> opened_;  // as last seen; another one after a removal
};

}  // namespace luna::sim_kernel
