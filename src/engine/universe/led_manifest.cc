#include "engine/universe/led_manifest.h"

#include <utility>

#include "base/try.h"

namespace luna::universe {

namespace {

class LedManifest final : public manifest::Manifest {
 public:
  LedManifest(std::unique_ptr<manifest::Manifest> manifest, const catalog::Leads& leads,
              catalog::Leader leader)
      : manifest_(std::move(manifest)), leads_(leads), leader_(leader) {}

  Status Take() {
    // Void also when this epoch has it: an earlier try may have been stored without an answer.
    TRY(manifest_->Commit(
        catalog::Encode(catalog::TakeLead{.group = leader_.group, .epoch = leader_.epoch})));
    return CheckLeads();
  }

  Result<bool> Commit(std::string_view edit,
                      const std::function<void(manifest::Position)>& done) override {
    const catalog::Edit led =
        catalog::Led{.group = leader_.group, .epoch = leader_.epoch, .edit = std::string(edit)};
    const bool valid = TRY(manifest_->Commit(catalog::Encode(led), done));
    if (!valid) {
      TRY(CheckLeads());
    }
    return valid;
  }
  Status CatchUp() override { return manifest_->CatchUp(); }
  void Inspect(const std::function<void(manifest::Position)>& reader) override {
    manifest_->Inspect(reader);
  }
  Status Snapshot() override { return manifest_->Snapshot(); }
  Status Link(const std::string& directory) override { return manifest_->Link(directory); }

 private:
  Status CheckLeads() {
    uint64_t epoch = 0;
    manifest_->Inspect([&](manifest::Position) { epoch = leads_.EpochOf(leader_.group); });
    if (epoch == leader_.epoch) {
      return {};
    }
    return Error(Reason::kFenced, "epoch " + std::to_string(epoch) + " leads group " +
                                      std::to_string(leader_.group) + " now, not epoch " +
                                      std::to_string(leader_.epoch) +
                                      ": the manifest took nothing; ask the new leader");
  }

  const std::unique_ptr<manifest::Manifest> manifest_;
  const catalog::Leads& leads_;  // under Inspect
  const catalog::Leader leader_;
};

}  // namespace

Result<std::unique_ptr<manifest::Manifest>> LeadManifest(
    std::unique_ptr<manifest::Manifest> manifest, const catalog::Leads& leads,
    catalog::Leader leader) {
  auto led = std::make_unique<LedManifest>(std::move(manifest), leads, leader);
  TRY(led->Take());
  return std::unique_ptr<manifest::Manifest>(std::move(led));
}

}  // namespace luna::universe
