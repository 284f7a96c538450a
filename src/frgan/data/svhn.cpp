#include "frgan/data/svhn.h"

#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/mat_file.h"

namespace frgan {
namespace {

ImageSet read_role(Dataset& data, const std::filesystem::path& path, int64_t official_count) {
  MatImages mat = read_mat_images(path);
  if (mat.height != 32 || mat.width != 32 || mat.channels != 3) {
    throw Error(fmt::format("{}: images of {}x{}x{}; expected 32x32x3; is this the cropped-digits file?", path.string(),
                            mat.height, mat.width, mat.channels));
  }
  if (mat.count != official_count) {
    data.notes.push_back(
        fmt::format("{} has {} images; the official file has {}", path.filename().string(), mat.count, official_count));
  }
  return {adopt(std::move(mat.images), {mat.count, mat.height, mat.width, mat.channels}),
          adopt(std::move(mat.labels), {mat.count})};
}

}  // namespace

Dataset read_svhn(const std::filesystem::path& folder) {
  Dataset data;
  data.name = "svhn";
  data.source = folder.string();
  data.class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  data.train = read_role(data, folder / "train_32x32.mat", 73257);
  data.test = read_role(data, folder / "test_32x32.mat", 26032);
  finish_dataset(data);
  return data;
}

}  // namespace frgan
