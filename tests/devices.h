// Devices for tests: the CPU, and the first GPU if the machine has one.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "frgan/device/device.h"

namespace frgan {

inline std::vector<std::string> devices() {
  std::vector<std::string> names{"cpu"};
  if (gpu_count() > 0) names.emplace_back("cuda");
  return names;
}

// Base of TEST_P suites that run on each device:
//
//   INSTANTIATE_TEST_SUITE_P(On, MyTest, testing::ValuesIn(devices()), device_label);
class OnDevice : public testing::TestWithParam<std::string> {
 protected:
  const at::Device device = resolve_device(GetParam());
};

inline std::string device_label(const testing::TestParamInfo<std::string>& info) {
  return info.param;
}

}  // namespace frgan
