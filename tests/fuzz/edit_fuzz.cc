// Fuzzes what a manifest is read from: edits, saved states, records, marks and snapshots. What is
// accepted must come back from its own encoding byte for byte; a void edit must change nothing; a
// state that was saved and loaded must go on like the one it was saved from. The first byte
// chooses what the rest is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"
#include "engine/catalog/database_state.h"
#include "engine/catalog/universe_state.h"
#include "kernel/manifest/snapshot_format.h"

namespace {

using namespace luna;

// Loads what `state` saves into `copy`, which must then save the same.
template <typename State>
std::string Reload(const State& state, State& copy) {
  std::string saved = state.Save();
  LUNA_ASSERT(copy.Load(saved).ok());
  LUNA_ASSERT(copy.Save() == saved);
  return saved;
}

void Use(const catalog::UniverseState& state) {
  for (const auto& [id, name] : state.databases()) {
    const catalog::DatabaseId found = state.Find(name);
    LUNA_ASSERT(state.databases().at(found) == name);
  }
}

void Use(const catalog::DatabaseState& state) {
  const auto tables = state.LiveTables();
  state.LiveBlobs();
  size_t count = 0;
  for (const auto& [id, collection] : state.collections()) {
    LUNA_ASSERT(state.FindCollection(collection.name) != nullptr);
    const levels::Levels& shape = *collection.levels;
    count += shape.tables();
    LUNA_ASSERT(shape.deepest() < levels::kLevels);
    LUNA_ASSERT(!shape.ToString().empty() || shape.tables() == 0);
    for (int level = 0; level < levels::kLevels; ++level) {
      LUNA_ASSERT(shape.Overlapping(level, {}).size() == shape.level(level).size());
      for (const levels::Row& row : shape.level(level)) {
        LUNA_ASSERT(shape.Contains(row->object));
        LUNA_ASSERT(levels::Covers(*row, row->smallest));
      }
    }
  }
  LUNA_ASSERT(tables.size() <= count);
  for (const auto& [id, tablet] : state.tablets()) {
    LUNA_ASSERT(tablet.id == id && state.collections().contains(tablet.collection));
  }
  for (const auto& [id, job] : state.jobs()) {
    LUNA_ASSERT(job.id == id);
    for (const std::string& input : job.inputs) {
      LUNA_ASSERT(state.collections().at(job.collection).levels->Contains(input));
    }
  }
}

void UseEdit(std::string_view bytes) {
  const Result<catalog::Edit> edit = catalog::Decode(bytes);
  if (edit.ok()) {
    LUNA_ASSERT(!catalog::ToString(*edit).empty());
    LUNA_ASSERT(catalog::Encode(*edit) == bytes);
  }
}

// The rest of `in` as edits with their lengths, applied to `state` and to a copy that is saved and
// loaded before each.
template <typename State>
void ApplyEdits(State& state, base::ByteReader& in) {
  for (manifest::Position position = 1; !in.empty() && in.ok(); ++position) {
    const std::string_view edit = in.Bytes(in.Fixed16());
    State copy;
    const std::string before = Reload(state, copy);
    const Result<bool> verdict = state.Apply(position, edit);
    const Result<bool> again = copy.Apply(position, edit);
    LUNA_ASSERT(verdict.ok() == again.ok() && (!verdict.ok() || *verdict == *again));
    LUNA_ASSERT(state.Save() == copy.Save());
    LUNA_ASSERT((verdict.ok() && *verdict) || state.Save() == before);
    Use(state);
  }
}

template <typename State>
void UseState(std::string_view bytes) {
  base::ByteReader in(bytes);
  const std::string_view saved = in.Bytes(in.Fixed16());
  State state;
  if (!saved.empty()) {
    if (!state.Load(saved).ok()) {
      LUNA_ASSERT(state.Save() == State().Save());
      return;
    }
    // Levels may be stored in another order; nothing may be left out.
    LUNA_ASSERT(state.Save().size() == saved.size());
    Use(state);
  }
  ApplyEdits(state, in);
}

void UseRecord(std::string_view bytes) {
  const auto record = manifest::DecodeRecord(bytes, "fuzz");
  if (!record.ok()) {
    return;
  }
  LUNA_ASSERT(manifest::EncodeRecord(record->nonce, record->kind, record->bytes) == bytes);
  if (record->kind == manifest::RecordKind::kEdit) {
    UseEdit(record->bytes);
  } else if (const auto mark = manifest::DecodeMark(record->bytes, "fuzz"); mark.ok()) {
    LUNA_ASSERT(manifest::EncodeMark(*mark) == record->bytes);
    manifest::SnapshotPosition("m", mark->object);
  }
}

void UseSnapshot(std::string_view bytes) {
  const auto snapshot = manifest::DecodeSnapshot(bytes, "fuzz");
  if (snapshot.ok()) {
    LUNA_ASSERT(manifest::EncodeSnapshot(*snapshot) == bytes);
    const manifest::SnapshotMark mark = manifest::MarkOf(bytes, *snapshot, "m.1");
    LUNA_ASSERT(mark.covered == snapshot->position && mark.salt == snapshot->salt);
  }
}

// The checksum that DecodeSnapshot expects, in place of the one that is there.
std::string WithChecksum(std::string_view bytes) {
  constexpr size_t kSaltAt = 20;
  std::string fixed(bytes);
  if (fixed.size() >= kSaltAt + 16 + 8) {
    const base::Id128 salt{.high = base::LoadFixed64(fixed.data() + kSaltAt),
                           .low = base::LoadFixed64(fixed.data() + kSaltAt + 8)};
    fixed.resize(fixed.size() - 8);
    base::PutFixed64(fixed, base::Hash(fixed, base::Mix(salt, 0)));
  }
  return fixed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0] % 6) {
    case 0:
      UseEdit(rest);
      break;
    case 1:
      UseState<catalog::DatabaseState>(rest);
      break;
    case 2:
      UseState<catalog::UniverseState>(rest);
      break;
    case 3:
      UseRecord(rest);
      break;
    case 4:
      UseSnapshot(rest);
      break;
    default:
      UseSnapshot(WithChecksum(rest));
  }
  return 0;
}
