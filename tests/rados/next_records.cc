// The records of a build after this one, for tests of rolling restarts: it knows one kind more,
// 200, which is a Renew, and writes it only when LUNA_NEXT_RECORDS is set. A lunad that has this
// file has no other engine/group/records.cc: the linker takes what it knows already.
// Thread rule: plain functions.
#include <cstdlib>

#include "engine/group/records.h"

// The ones of this build, under other names; what they include is included first, under its own.
#include "base/coding.h"
#include "base/try.h"
#define Encode EncodeNow
#define Decode DecodeNow
#include "engine/group/records.cc"  // NOLINT(bugprone-suspicious-include)
#undef Encode
#undef Decode

namespace luna::group {

constexpr char kRenewKind = 16;
constexpr auto kNextKind = static_cast<char>(200);

void Encode(const Envelope& envelope, const Body& body, std::string& out) {
  static const bool told = std::getenv("LUNA_NEXT_RECORDS") != nullptr;
  const size_t begin = out.size();
  EncodeNow(envelope, body, out);
  if (told && std::holds_alternative<Renew>(body)) {
    out[begin] = kNextKind;
  }
}

Result<Decoded> Decode(std::string_view record) {
  if (!record.starts_with(kNextKind)) {
    return DecodeNow(record);
  }
  std::string known(record);  // a Renew holds no view of it
  known[0] = kRenewKind;
  return DecodeNow(known);
}

}  // namespace luna::group
