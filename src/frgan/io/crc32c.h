// Checksum of short texts, such as log lines and TensorBoard records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace frgan {

// CRC-32C (Castagnoli, as in iSCSI); crc32c("123456789") is 0xe3069283.
uint32_t crc32c(std::span<const std::byte> bytes);

}  // namespace frgan
