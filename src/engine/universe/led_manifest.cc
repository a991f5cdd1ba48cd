#include "engine/universe/led_manifest.h"

#include <utility>

#include "base/try.h"

namespace luna::universe {

namespace {

uint64_t EpochOf(manifest::Manifest& manifest, const catalog::Leads& leads, uint64_t group) {
  uint64_t epoch = 0;
  manifest.Inspect([&](manifest::Position) { epoch = leads.EpochOf(group); });
  return epoch;
}

Status CheckLead(manifest::Manifest& manifest, const catalog::Leads& leads,
                 catalog::Leader leader) {
  const uint64_t epoch = EpochOf(manifest, leads, leader.group);
  if (epoch == leader.epoch) {
    return {};
  }
  return Error(Reason::kFenced, "epoch " + std::to_string(epoch) + " leads group " +
                                    std::to_string(leader.group) + " now, not epoch " +
                                    std::to_string(leader.epoch) +
                                    ": the manifest took nothing; ask the new leader");
}

class LedManifest final : public manifest::Manifest {
 public:
  LedManifest(std::unique_ptr<manifest::Manifest> manifest, const catalog::Leads& leads,
              catalog::Leader leader, std::function<void(const Error&)> lost)
      : manifest_(std::move(manifest)), leads_(leads), leader_(leader), lost_(std::move(lost)) {}

  Status CheckLeads() { return CheckLead(*manifest_, leads_, leader_); }

  Status BeginWriting() override { return manifest_->BeginWriting(); }
  Result<bool> Commit(std::string_view edit,
                      const std::function<void(manifest::Position)>& done) override {
    const catalog::Edit led =
        catalog::Led{.group = leader_.group, .epoch = leader_.epoch, .edit = std::string(edit)};
    const Result<bool> verdict = Judged(manifest_->Commit(catalog::Encode(led), done));
    if (!verdict.ok() && IsLost(verdict.error())) {
      lost_(verdict.error());
    }
    return verdict;
  }
  Status CatchUp() override { return manifest_->CatchUp(); }
  void Inspect(const std::function<void(manifest::Position)>& reader) override {
    manifest_->Inspect(reader);
  }
  Status Snapshot() override { return manifest_->Snapshot(); }
  Status Link(const std::string& directory) override { return manifest_->Link(directory); }

 private:
  // Deposed, or of unknown outcome: the state here may not be what the manifest says.
  static bool IsLost(const Error& error) {
    return error.reason() == Reason::kFenced ||
           (error.code() == ErrorCode::kClosed && error.reason() != Reason::kShutDown);
  }
  Result<bool> Judged(Result<bool> verdict) {
    if (verdict.ok() && !*verdict) {
      TRY(CheckLeads());
    }
    return verdict;
  }

  const std::unique_ptr<manifest::Manifest> manifest_;
  const catalog::Leads& leads_;  // under Inspect
  const catalog::Leader leader_;
  const std::function<void(const Error&)> lost_;
};

}  // namespace

Status TakeLead(manifest::Manifest& manifest, const catalog::Leads& leads, catalog::Leader leader) {
  if (EpochOf(manifest, leads, leader.group) != leader.epoch) {
    // Void also when this epoch has it: an earlier try may have been stored without an answer.
    TRY(manifest.Commit(
        catalog::Encode(catalog::TakeLead{.group = leader.group, .epoch = leader.epoch})));
  }
  return CheckLead(manifest, leads, leader);
}

Result<std::unique_ptr<manifest::Manifest>> LeadManifest(
    std::unique_ptr<manifest::Manifest> manifest, const catalog::Leads& leads,
    catalog::Leader leader, std::function<void(const Error&)> lost) {
  TRY(TakeLead(*manifest, leads, leader));
  return std::unique_ptr<manifest::Manifest>(
      std::make_unique<LedManifest>(std::move(manifest), leads, leader, std::move(lost)));
}

}  // namespace luna::universe
