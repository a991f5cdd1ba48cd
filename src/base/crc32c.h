// CRC-32C (Castagnoli), with the SSE4.2 instruction where the machine has it, chosen at start.
// Values are the standard ones (check value of "123456789" is 0xe3069283).
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace luna::base {

// Continues `crc` (0 to start) over `bytes`: Crc32c(ab) == Crc32c(b, Crc32c(a)).
uint32_t Crc32c(std::string_view bytes, uint32_t crc = 0);

// The table-driven implementation, for machines without the instruction and for tests.
uint32_t Crc32cPortable(std::string_view bytes, uint32_t crc = 0);

}  // namespace luna::base
