#include "engine/blob/blob.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/try.h"
#include "engine/blob/part.h"

namespace luna::blob {
namespace {

std::string PartName(const std::string& name, uint64_t part) {
  return name + "." + std::to_string(part);
}

Status WritePart(storage::Storage& storage, const std::string& bucket, const std::string& object,
                 std::string_view payload, const Trailer& trailer) {
  const std::unique_ptr<storage::ObjectWriter> writer = TRY(storage.Create(bucket, object));
  TRY(writer->Append(payload));
  TRY(writer->Append(EncodeTrailer(trailer, payload)));
  return writer->Finish();
}

// A part and what its trailer says.
struct Part {
  Trailer trailer;
  std::string payload;
};

Result<Part> ReadPartOnce(storage::Storage& storage, const std::string& bucket,
                          const std::string& object) {
  const std::unique_ptr<storage::ObjectReader> reader = TRY(storage.Open(bucket, object));
  if (reader->size() > entry::kBlobPartBytes + kTrailerBytes) {
    return Error(Reason::kBadFormat, reader->name() + " has " + std::to_string(reader->size()) +
                                         " bytes, too many for a blob part");
  }
  Part part;
  part.payload.resize(reader->size());
  TRY(reader->Read(0, part.payload.size(), part.payload.data()));
  part.trailer = TRY(CheckPart(part.payload, reader->name()));
  part.payload.resize(part.trailer.payload_bytes);
  return part;
}

// A checksum error is read again once: it may be the way here that failed.
Result<Part> ReadPart(storage::Storage& storage, const std::string& bucket,
                      const std::string& object) {
  Result<Part> part = ReadPartOnce(storage, bucket, object);
  if (!part.ok() && part.error().reason() == Reason::kBadChecksum) {
    return ReadPartOnce(storage, bucket, object);
  }
  return part;
}

Error WrongPart(const std::string& bucket, const std::string& object, const Trailer& trailer,
                const std::string& expected) {
  return Error(Reason::kBadFormat, bucket + "/" + object + " says it is part " +
                                       std::to_string(trailer.part) + " of a value of " +
                                       std::to_string(trailer.whole_bytes) + " bytes, expected " +
                                       expected + "; restore it from a backup");
}

// How many parts there are: they are written from 0 up and removed from the last down.
Result<uint64_t> CountParts(storage::Storage& storage, const std::string& bucket,
                            const std::string& name) {
  for (uint64_t part = 0;; ++part) {
    const auto reader = storage.Open(bucket, PartName(name, part));
    if (!reader.ok()) {
      return reader.error().reason() == Reason::kObjectMissing ? Result<uint64_t>(part)
                                                               : Result<uint64_t>(reader.error());
    }
  }
}

bool AllDigits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<entry::BlobReference> Write(storage::Storage& storage, const std::string& bucket,
                                   std::string name, const base::Id128& salt,
                                   std::string_view value) {
  LUNA_ASSERT(!value.empty());
  entry::BlobReference reference{
      .name = std::move(name), .size = value.size(), .checksum = base::Hash(value)};
  for (uint64_t part = 0; part < entry::BlobParts(value.size()); ++part) {
    const std::string_view payload =
        value.substr(part * entry::kBlobPartBytes, PayloadBytes(value.size(), part));
    const Trailer trailer{.part = static_cast<uint32_t>(part),
                          .salt = salt,
                          .whole_bytes = value.size(),
                          .payload_bytes = payload.size(),
                          .writer = base::kWriter};
    const Status written =
        WritePart(storage, bucket, entry::BlobPartName(reference, part), payload, trailer);
    if (!written.ok()) {
      // The name is fresh, so what stands before this part is ours; what cannot be removed now is
      // an orphan and swept at the next open.
      for (uint64_t done = part; done > 0; --done) {
        static_cast<void>(storage.Remove(bucket, entry::BlobPartName(reference, done - 1)));
      }
      return written.error();
    }
  }
  return reference;
}

Result<std::string> Read(storage::Storage& storage, const std::string& bucket,
                         const entry::BlobReference& reference) {
  std::string value;
  value.reserve(reference.size);
  for (uint64_t number = 0; number < entry::BlobParts(reference.size); ++number) {
    const std::string object = entry::BlobPartName(reference, number);
    const Part part = TRY(ReadPart(storage, bucket, object));
    if (part.trailer.part != number || part.trailer.whole_bytes != reference.size) {
      return WrongPart(bucket, object, part.trailer,
                       "part " + std::to_string(number) + " of " + std::to_string(reference.size));
    }
    value += part.payload;
  }
  if (base::Hash(value) != reference.checksum) {
    return Error(
        Reason::kBadChecksum,
        bucket + "/" + reference.name + ": checksum of the whole value (" +
            std::to_string(value.size()) +
            " bytes from offset 0) does not match its reference; restore it from a backup");
  }
  return value;
}

Status Remove(storage::Storage& storage, const std::string& bucket, const std::string& name) {
  for (uint64_t parts = TRY(CountParts(storage, bucket, name)); parts > 0; --parts) {
    TRY(storage.Remove(bucket, PartName(name, parts - 1)));
  }
  return {};
}

Result<uint64_t> VerifyPart(storage::Storage& storage, const std::string& bucket,
                            const std::string& object) {
  const Part part = TRY(ReadPart(storage, bucket, object));
  return part.trailer.payload_bytes;
}

Result<uint64_t> Verify(storage::Storage& storage, const std::string& bucket,
                        const std::string& name) {
  uint64_t whole = 1;  // until part 0 says more
  for (uint64_t number = 0; number < entry::BlobParts(whole); ++number) {
    const std::string object = PartName(name, number);
    const Part part = TRY(ReadPart(storage, bucket, object));
    whole = number == 0 ? part.trailer.whole_bytes : whole;
    if (part.trailer.part != number || part.trailer.whole_bytes != whole || whole == 0) {
      return WrongPart(bucket, object, part.trailer, "part " + std::to_string(number));
    }
  }
  return whole;
}

std::string NameOfPart(std::string_view object) {
  const size_t dot = object.rfind('.');
  if (!object.starts_with("b-") || dot == std::string_view::npos ||
      !AllDigits(object.substr(dot + 1))) {
    return {};
  }
  // "b-<group>.<epoch>.<counter>": three numbers before the part's.
  const std::string_view name = object.substr(0, dot);
  std::string_view rest = name.substr(2);
  for (int numbers = 0; numbers < 2; ++numbers) {
    const size_t next = rest.find('.');
    if (next == std::string_view::npos || !AllDigits(rest.substr(0, next))) {
      return {};
    }
    rest.remove_prefix(next + 1);
  }
  return AllDigits(rest) ? std::string(name) : std::string();
}

}  // namespace luna::blob
