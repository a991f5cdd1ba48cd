// Journal segments: frames, the records in them, and whether they go on into the next segment.
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/luna_inspect/inspect.h"
#include "apps/output/escape.h"
#include "base/text.h"
#include "base/try.h"
#include "engine/catalog/edits.h"
#include "engine/group/records.h"
#include "kernel/framing/framing.h"
#include "kernel/journal/batch.h"
#include "kernel/manifest/edit_format.h"

namespace luna::inspect {
namespace {

using framing::SegmentHeader;
using runtime::JoinPath;
using runtime::ParentPath;

Result<SegmentHeader> ReadHeader(runtime::File& file, const std::string& path) {
  std::array<char, framing::kHeaderBytes> bytes;
  const size_t got = TRY(file.Read(0, bytes.size(), bytes.data()));
  return framing::DecodeHeader({bytes.data(), got}, path);
}

// The header of the segment after `path` in its directory; nothing for the last one.
Result<std::optional<SegmentHeader>> HeaderOfNext(Inspector& inspector, const std::string& path) {
  const std::string directory = ParentPath(path);
  const std::vector<std::string> names = TRY(inspector.files.List(directory));  // sorted
  for (const std::string& name : names) {
    if (name.ends_with(".segment") && name > BaseName(path)) {
      const std::string next = JoinPath(directory, name);
      const auto file = TRY(inspector.files.Open(next, runtime::OpenMode::kRead));
      auto header = ReadHeader(*file, next);
      if (!header.ok()) {
        return std::optional<SegmentHeader>();  // its own report says so
      }
      return std::optional(*header);
    }
  }
  return std::optional<SegmentHeader>();
}

std::string Describe(const group::LeaderStart& body) {
  return "LeaderStart " + body.server;
}
std::string Describe(const group::TsLimit& body) {
  return "TsLimit " + std::to_string(body.limit);
}
std::string Describe(const group::Rotate& body) {
  return "Rotate " + std::to_string(body.tablet);
}
std::string Describe(const group::Ingest& body) {
  return "Ingest " + std::to_string(body.tables.size()) + " tables into tablet " +
         std::to_string(body.tablet) + " at " + std::to_string(body.timestamp);
}
std::string Describe(const group::Checkpoint& body) {
  return "Checkpoint of " + std::to_string(body.clocks.size()) + " databases";
}
std::string Describe(const group::Abort& body) {
  return "Abort at " + std::to_string(body.timestamp);
}
std::string Describe(const group::Renew& body) {
  return body.resting ? "Renew, resting" : "Renew";
}
std::string Describe(const group::Transfer& body) {
  return body.target.empty() ? "Transfer to anyone" : "Transfer to " + body.target;
}
std::string Describe(const group::Config& body) {
  std::string text = "Config, removed:";
  for (const std::string& server : body.removed) {
    text += " " + base::Printable(server);
  }
  return text;
}
std::string Describe(const group::Commit& body) {
  constexpr size_t kShown = 8;
  std::string text = "Commit at " + std::to_string(body.timestamp);
  for (size_t i = 0; i < body.operations.size() && i < kShown; ++i) {
    const group::Operation& operation = body.operations[i];
    const bool erases = operation.entry.kind == entry::Kind::kDelete;
    text += operation.range ? "; delete range " : erases ? "; delete " : "; put ";
    text += std::to_string(operation.tablet) + ":" + base::Printable(operation.entry.key);
    text += operation.range ? " to " + base::Printable(operation.range_end) : "";
  }
  const size_t more = body.operations.size() - std::min(kShown, body.operations.size());
  return text + (more > 0 ? "; and " + std::to_string(more) + " more" : "");
}

// What a record of a group's stream, or of a manifest, says; an error if it says nothing.
Result<std::string> DescribeRecord(bool of_manifest, std::string_view payload,
                                   const std::string& where) {
  if (!of_manifest) {
    const group::Decoded record = TRY(group::Decode(payload));
    return "database " + std::to_string(record.envelope.database) + ": " +
           std::visit([](const auto& body) { return Describe(body); }, record.body);
  }
  const manifest::StoredRecord record = TRY(manifest::DecodeRecord(payload, where));
  if (record.kind == manifest::RecordKind::kSnapshotMark) {
    const manifest::SnapshotMark mark = TRY(manifest::DecodeMark(record.bytes, where));
    return "snapshot " + mark.object + " covers up to " + std::to_string(mark.covered);
  }
  const catalog::Edit edit = TRY(catalog::Decode(record.bytes));
  return catalog::ToString(edit);
}

// Reads the frames of one segment in order.
class SegmentWalk {
 public:
  SegmentWalk(Inspector& inspector, runtime::File& file, const SegmentHeader& header,
              FileReport& report)
      : inspector_(inspector),
        report_(report),
        frames_(file, report.path, header),
        next_(header.first_sequence),
        stream_(BaseName(ParentPath(report.path))) {}

  Status Run() {
    for (;;) {
      frame_offset_ = frames_.offset();
      const std::optional<std::string_view> payload = TRY(frames_.Next());
      if (!payload.has_value() || !ReadFrame(*payload)) {
        return {};
      }
      ++frame_count_;
    }
  }

  // After Run, if nothing was wrong: must the frames have gone on?
  Status CheckEnd(const std::optional<SegmentHeader>& next) {
    const std::string at = report_.path + " at offset " + std::to_string(frames_.offset());
    if (next.has_value()) {
      if (next->first_sequence != next_) {
        report_.Damaged(
            frames_.offset(), std::nullopt,
            Error(Reason::kBadChecksum, at + ": no valid frame of record " + std::to_string(next_) +
                                            ", though the next segment begins with " +
                                            std::to_string(next->first_sequence) +
                                            "; restore the file from a backup"));
      }
    } else if (TRY(frames_.ValidFrameBeyond())) {
      report_.Damaged(frames_.offset(), std::nullopt,
                      Error(Reason::kBadChecksum,
                            at + ": the frame of record " + std::to_string(next_) +
                                " does not check, though it was on the device when later ones "
                                "were written; restore the file from a backup"));
    }
    return {};
  }

  void AddFacts() {
    report_.Add("frames", frame_count_);
    report_.Add("last_sequence", next_ - 1);
    report_.Add("end_offset", frames_.offset());
  }

 private:
  // False: the frame is whole, but what it says is wrong.
  bool ReadFrame(std::string_view payload) {
    const uint64_t length = frames_.offset() - frame_offset_;
    const auto wrong = [&](Reason reason, const std::string& what) {
      report_.Damaged(frame_offset_, length,
                      Error(reason, report_.path + " at offset " + std::to_string(frame_offset_) +
                                        ": " + what + "; restore the file from a backup"));
      return false;
    };
    std::optional<journal::BatchReader> batch = journal::BatchReader::Open(payload);
    if (!batch.has_value()) {
      return wrong(Reason::kBadFormat, "the frame holds no batch of records");
    }
    if (batch->next_sequence() != next_) {
      return wrong(Reason::kLostData, "record " + std::to_string(batch->next_sequence()) +
                                          " where " + std::to_string(next_) + " must be");
    }
    next_ = batch->end_sequence();
    while (!batch->empty()) {
      if (const Status read = ReadRecord(batch->Next()); !read.ok()) {
        return wrong(read.error().reason(), read.error().message());
      }
    }
    return true;
  }

  Status ReadRecord(const journal::Record& record) {
    const bool of_manifest = stream_.starts_with("manifest-");
    if ((!inspector_.wishes.verify && !inspector_.wishes.entries) ||
        (!of_manifest && !stream_.starts_with("group-"))) {
      return {};
    }
    const std::string says = TRY(
        DescribeRecord(of_manifest, record.payload, "record " + std::to_string(record.sequence)));
    if (inspector_.wishes.entries) {
      output::Json json;
      json.BeginObject().Key("offset").Number(frame_offset_);
      json.Key("sequence").Number(record.sequence).Key("epoch").Number(record.epoch);
      json.Key("bytes").Number(record.payload.size()).Key("says").Text(says).EndObject();
      inspector_.printer.Entry(report_.path,
                               "offset " + std::to_string(frame_offset_) + " record " +
                                   std::to_string(record.sequence) + " epoch " +
                                   std::to_string(record.epoch) + " " + output::Escape(says),
                               json);
    }
    return {};
  }

  Inspector& inspector_;
  FileReport& report_;
  framing::FrameReader frames_;
  journal::Sequence next_;
  const std::string stream_;
  uint64_t frame_offset_ = 0;
  uint64_t frame_count_ = 0;
};

}  // namespace

Status InspectSegment(Inspector& inspector, FileReport& report) {
  const auto file = TRY(inspector.files.Open(report.path, runtime::OpenMode::kRead));
  const auto header = ReadHeader(*file, report.path);
  if (!header.ok()) {
    report.Damaged(0, framing::kHeaderBytes, header.error());
    return {};
  }
  report.Add("number", header->number);
  report.Add("first_sequence", header->first_sequence);
  // Before the frames: what is appended meanwhile must not look like a gap.
  const auto next = TRY(HeaderOfNext(inspector, report.path));
  SegmentWalk walk(inspector, *file, *header, report);
  TRY(walk.Run());
  walk.AddFacts();
  if (!report.damage.has_value()) {
    TRY(walk.CheckEnd(next));
  }
  return {};
}

}  // namespace luna::inspect
