// Fuzzes what a blob is read from: references, the names and the trailers of parts, and parts in a
// storage that contradict each other or their reference. The first byte chooses what the rest is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/coding.h"
#include "engine/blob/blob.h"
#include "engine/blob/part.h"
#include "unit/engine/table/map_storage.h"

namespace {

using namespace luna;

void UsePart(std::string_view object) {
  const Result<blob::Trailer> trailer = blob::CheckPart(object, "fuzz");
  if (trailer.ok()) {
    const std::string_view payload = object.substr(0, trailer->payload_bytes);
    LUNA_ASSERT(payload.size() + blob::kTrailerBytes == object.size());
    LUNA_ASSERT(blob::EncodeTrailer(*trailer, payload) == object.substr(payload.size()));
    LUNA_ASSERT(!base::WriterName(trailer->writer).empty());
    LUNA_ASSERT(trailer->part < entry::BlobParts(trailer->whole_bytes));
  }
}

// The checksum that CheckPart expects, in place of the one that is there.
std::string WithChecksum(std::string_view object) {
  std::string fixed(object);
  if (fixed.size() >= blob::kTrailerBytes) {
    const std::string_view payload = object.substr(0, object.size() - blob::kTrailerBytes);
    const std::string_view fields = object.substr(payload.size(), blob::kTrailerBytes - 8);
    fixed.resize(fixed.size() - 8);
    base::PutFixed64(fixed, base::Hash(payload, base::Hash(fields)));
  }
  return fixed;
}

void UseReference(std::string_view bytes) {
  const auto reference = entry::DecodeBlobReference(bytes);
  if (reference.ok()) {
    LUNA_ASSERT(entry::EncodeBlobReference(*reference) == bytes);
    const uint64_t parts = entry::BlobParts(reference->size);
    LUNA_ASSERT(parts * entry::kBlobPartBytes >= reference->size);
    const std::string last = entry::BlobPartName(*reference, parts);
    const std::string name = blob::NameOfPart(last);
    LUNA_ASSERT(name.empty() || name == reference->name);
  }
}

void UseName(std::string_view object) {
  const std::string name = blob::NameOfPart(object);
  if (!name.empty()) {
    LUNA_ASSERT(object.starts_with(name + ".") && object.size() > name.size() + 1);
    LUNA_ASSERT(blob::NameOfPart(name + ".0") == name);
  }
}

// Parts whose trailers are chosen by the input, read through a reference chosen by it.
void UseBlob(std::string_view bytes) {
  const std::string name = "b-1.1.1";
  base::ByteReader in(bytes);
  table::MapStorage storage;
  std::string value;
  const uint8_t parts = in.Byte() % 4;
  const uint64_t said_bytes = in.Fixed16();
  for (int part = 0; part < parts; ++part) {
    const uint8_t form = in.Byte();
    const std::string_view payload = in.Bytes(in.Fixed16());
    blob::Trailer trailer{.part = static_cast<uint32_t>(part),
                          .salt = {.high = 1, .low = form},
                          .whole_bytes = (form & 1) == 0 ? payload.size() : said_bytes,
                          .payload_bytes = payload.size(),
                          .writer = base::kWriter};
    if ((form & 2) != 0) {
      trailer.part = in.Fixed32();
      trailer.whole_bytes = in.Fixed64();
    }
    std::string object = std::string(payload) + blob::EncodeTrailer(trailer, payload);
    if ((form & 4) != 0) {
      object.resize(std::min<size_t>(object.size(), in.Fixed16()));
    }
    storage.objects["b/" + name + "." + std::to_string(part)] = object;
    value += payload;
  }
  const entry::BlobReference reference{
      .name = name, .size = said_bytes, .checksum = base::Hash(value) + in.Byte()};
  const Result<std::string> read = blob::Read(storage, "b", reference);
  const Result<uint64_t> verified = blob::Verify(storage, "b", name);
  if (read.ok() && reference.size > 0) {
    LUNA_ASSERT(read->size() == reference.size && base::Hash(*read) == reference.checksum);
    LUNA_ASSERT(verified.ok() && *verified == reference.size);
  }
  for (int part = 0; part < parts; ++part) {
    const std::string object = name + "." + std::to_string(part);
    LUNA_ASSERT(!verified.ok() || part > 0 || blob::VerifyPart(storage, "b", object).ok());
    LUNA_ASSERT(blob::NameOfPart(object) == name);
  }
  LUNA_ASSERT(blob::Remove(storage, "b", name).ok());
  LUNA_ASSERT(storage.objects.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0] % 5) {
    case 0:
      UsePart(rest);
      break;
    case 1:
      UsePart(WithChecksum(rest));
      break;
    case 2:
      UseReference(rest);
      break;
    case 3:
      UseName(rest);
      break;
    default:
      UseBlob(rest);
  }
  return 0;
}
