// SimStream: a stream of the simulated store as one server has it open. Any number of servers may
// have it open at once; epochs tell who may append.
// An append is sent once. Without an answer its outcome is kUnknown: it was applied, or will be, or
// neither. The stream is then poisoned: it refuses everything but reading until it is opened anew,
// which voids that append if it was not applied yet. Everything else is repeated, and may be.
// Thread rule: owned by one thread, that of the simulation; one call of Append, Fence, Release,
// Roll at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "kernel/journal/journal.h"
#include "simulation/sim_kernel/endpoint.h"
#include "simulation/sim_kernel/sim_reader.h"

namespace luna::sim_kernel {

class SimStream final : public journal::Stream {
 public:
  // Opens or makes the stream `name`. `closed` is called once, when the stream is destroyed.
  static Result<std::unique_ptr<journal::Stream>> Open(std::shared_ptr<Endpoint> endpoint,
                                                       const std::string& name,
                                                       const journal::StreamOptions& options,
                                                       std::function<void()> closed);
  ~SimStream() override { closed_(); }
  SimStream(const SimStream&) = delete;
  SimStream& operator=(const SimStream&) = delete;

  journal::AppendResult Append(Epoch epoch, Sequence expected_tail,
                               std::span<const std::string_view> records,
                               Durability durability) override;
  Status Persist(Durability durability) override;
  Result<Sequence> Fence(Epoch expected_epoch, std::optional<Sequence> expected_tail,
                         Epoch new_epoch) override;
  Result<Sequence> FenceAndAppend(Epoch expected_epoch, Sequence expected_tail, Epoch new_epoch,
                                  std::span<const std::string_view> records, uint64_t end) override;
  Result<std::unique_ptr<journal::StreamReader>> Read(Sequence after) override;
  Status Release(Sequence upto) override;
  journal::StreamState state() const override { return opened_->view.state; }
  Status Roll() override;

 private:
  SimStream(std::shared_ptr<Endpoint> endpoint, const std::string& name,
            const journal::StreamOptions& options, std::function<void()> closed);

  Status Create();
  Status TakeTurn();
  Result<Sequence> RaiseEpoch(FenceRequest request);
  std::optional<Error> CheckSize(const std::vector<std::string>& records) const;
  journal::AppendResult Answer(journal::AppendResult::Outcome outcome,
                               std::optional<Error> error) const;
  journal::AppendResult Unknown(const Error& cause);
  // What the store says of `deed` on the stream, whenever that arrives; kStreamMissing.
  struct Judged;
  Result<Judged> Ask(std::function<void(StoredStream&, Judged&)> deed);
  // Something that happens to the stream whenever it arrives, and may happen twice.
  Status Change(const std::function<void(StoredStream&)>& change);

  const std::shared_ptr<OpenedStream> opened_;
  const journal::StreamOptions options_;
  const std::function<void()> closed_;
  std::optional<Error> poison_;
};

}  // namespace luna::sim_kernel
