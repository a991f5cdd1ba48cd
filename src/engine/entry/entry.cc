#include "engine/entry/entry.h"

#include "base/coding.h"
#include "base/text.h"

namespace luna::entry {

std::string EncodeBlobReference(const BlobReference& reference) {
  std::string out;
  out.reserve(reference.name.size() + 24);
  base::PutString(out, reference.name);
  base::PutVarint(out, reference.size);
  base::PutFixed64(out, reference.checksum);
  return out;
}

Result<BlobReference> DecodeBlobReference(std::string_view bytes) {
  base::ByteReader reader(bytes);
  BlobReference reference;
  reference.name = reader.String();
  reference.size = reader.Varint();
  reference.checksum = reader.Fixed64();
  if (!reader.ok() || !reader.empty() || reference.name.empty() ||
      reference.size > kMaxValueBytes) {
    return Error(Reason::kBadFormat,
                 "a reference to a blob object does not decode: " + std::to_string(bytes.size()) +
                     " bytes " + base::Hex(bytes.substr(0, 64)) +
                     "; the entry that holds it is damaged, restore it from a backup");
  }
  return reference;
}

std::string BlobPartName(const BlobReference& reference, uint64_t part) {
  return reference.name + "." + std::to_string(part);
}

std::string PrefixEnd(std::string_view prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) {
    prefix.remove_suffix(1);
  }
  std::string end(prefix);
  if (!end.empty()) {
    end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  }
  return end;
}

}  // namespace luna::entry
