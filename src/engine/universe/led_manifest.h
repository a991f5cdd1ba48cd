// A manifest written by the leader of a group: TakeLead is its first edit, every further one comes
// as Led. From TakeLead on nothing that an earlier leader sends, or sent and the store kept back,
// changes the state; from a successor's TakeLead on nothing of this one does.
// Thread rule: functions are safe; the manifest they give is safe.
#pragma once

#include <functional>
#include <memory>

#include "engine/catalog/leads.h"
#include "kernel/manifest/manifest.h"

namespace luna::universe {

// Has the manifest say that this leader leads; kFenced: a later epoch does already. Otherwise the
// errors of Commit. Whoever will be the leader of that epoch, or nobody, may call it: it ends
// nothing but the leads of epochs before.
Status TakeLead(manifest::Manifest& manifest, const catalog::Leads& leads, catalog::Leader leader);

// Takes the lead. `leads` is part of the state behind `manifest` and outlives the result. kFenced:
// a later epoch has the lead already. Otherwise the errors of Commit.
// The result's Commit: a void edit is kFenced, not false, once another epoch took the lead. After
// that, and when it is unknown what was stored, no further edit can be written by this leader:
// `lost` is told, in the committing thread, so that the leadership ends with it.
Result<std::unique_ptr<manifest::Manifest>> LeadManifest(
    std::unique_ptr<manifest::Manifest> manifest, const catalog::Leads& leads,
    catalog::Leader leader, std::function<void(const Error&)> lost);

}  // namespace luna::universe
