#include "frgan/report/tensorboard.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <unistd.h>

#include "frgan/io/crc32c.h"
#include "frgan/io/png_header.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using protozero::pbf_reader;
using protozero::pbf_writer;

constexpr std::string_view kPrefix = "events.out.tfevents.";
constexpr std::string_view kPlugin = "hparams";
constexpr size_t kFrameBefore = 12,
                 kFrameBytes = 16;  // bytes of a record before its event; bytes added by the framing in total

// Protobuf field numbers by message, from TensorBoard's .proto files.
namespace event {
constexpr uint32_t kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
}
namespace value {
constexpr uint32_t kTag = 1, kSimpleValue = 2, kImage = 4, kTensor = 8, kMetadata = 9;
}
namespace image {
constexpr uint32_t kHeight = 1, kWidth = 2, kColorspace = 3, kEncoded = 4;
}
namespace hparams {
constexpr uint32_t kSessionStart = 3, kSessionEnd = 4;
}

double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Adds a nested message; `fill` writes its fields.
template <class Fill>
void add_message(pbf_writer& outer, uint32_t field, const Fill& fill) {
  pbf_writer inner(outer, field);
  fill(inner);
}

std::string little_endian(uint64_t number, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) text += static_cast<char>(number >> (8 * i) & 0xff);
  return text;
}

std::string masked_checksum(std::string_view bytes) {
  return little_endian(std::rotr(crc32c(bytes_of(bytes)), 15) + 0xa282ead8U, 4);
}

// Serializes an Event with the current time and `step` as a record.
template <class Fill>
std::string event_record(int64_t step, const Fill& fill) {
  std::string data;
  pbf_writer writer(data);
  writer.add_double(event::kWallTime, unix_seconds());
  writer.add_int64(event::kStep, step);
  fill(writer);
  const std::string length = little_endian(data.size(), 8);
  return length + masked_checksum(length) + data + masked_checksum(data);
}

using Scalars = std::vector<std::pair<std::string, double>>;

std::string scalars_record(int64_t step, const Scalars& scalars) {
  return event_record(step, [&](pbf_writer& writer) {
    add_message(writer, event::kSummary, [&](pbf_writer& summary) {
      for (const std::pair<std::string, double>& scalar : scalars) {
        add_message(summary, 1, [&](pbf_writer& entry) {
          entry.add_string(value::kTag, scalar.first);
          entry.add_float(value::kSimpleValue, static_cast<float>(scalar.second));
        });
      }
    });
  });
}

// The hparams plugin reads its data from the metadata of a summary value. The value's tensor (one float, 0) is a dummy.
template <class Fill>
std::string hparams_record(int64_t step, std::string_view tag, uint32_t kind, const Fill& fill) {
  std::string content;
  pbf_writer plugin_data(content);
  add_message(plugin_data, kind, fill);
  return event_record(step, [&](pbf_writer& writer) {
    add_message(writer, event::kSummary, [&](pbf_writer& summary) {
      add_message(summary, 1, [&](pbf_writer& entry) {
        entry.add_string(value::kTag, fmt::format("_hparams_/{}", tag));
        add_message(entry, value::kMetadata, [&](pbf_writer& metadata) {
          add_message(metadata, 1, [&](pbf_writer& plugin) {
            plugin.add_string(1, kPlugin.data(), kPlugin.size());
            plugin.add_bytes(2, content);
          });
        });
        add_message(entry, value::kTensor, [](pbf_writer& tensor) {
          constexpr int32_t kFloat = 1;
          tensor.add_enum(1, kFloat);
          add_message(tensor, 2, [](pbf_writer& shape) {
            add_message(shape, 2, [](pbf_writer& dimension) { dimension.add_int64(1, 1); });
          });
          tensor.add_float(5, 0);
        });
      });
    });
  });
}

// google.protobuf.Value
void add_option(pbf_writer& map_entry, const Json& option) {
  add_message(map_entry, 2, [&](pbf_writer& entry) {
    if (option.is_boolean()) {
      entry.add_bool(4, option.get<bool>());
    } else if (option.is_number()) {
      entry.add_double(2, option.get<double>());
    } else {
      entry.add_string(3, option.is_string() ? option.get<std::string>() : option.dump());
    }
  });
}

std::string session_start_record(const Json& options) {
  return hparams_record(/*step=*/0, "session_start_info", hparams::kSessionStart, [&](pbf_writer& start) {
    for (const auto& [name, option] : options.items()) {
      add_message(start, 1, [&, &name = name, &option = option](pbf_writer& map_entry) {
        map_entry.add_string(1, name);
        add_option(map_entry, option);
      });
    }
    start.add_double(5, unix_seconds());
  });
}

int64_t step_of(std::string_view event) {
  pbf_reader reader(event.data(), event.size());
  return reader.next(event::kStep, protozero::pbf_wire_type::varint) ? reader.get_int64() : 0;
}

// The length of the record at the start of `text`, with its frame; none if the record is incomplete or its length is
// damaged.
std::optional<size_t> record_size(std::string_view text) {
  if (text.size() < kFrameBytes || masked_checksum(text.substr(0, 8)) != text.substr(8, 4)) return std::nullopt;
  uint64_t length = 0;
  for (size_t i = 8; i-- > 0;) length = length << 8 | static_cast<uint8_t>(text[i]);
  if (length > text.size() - kFrameBytes) return std::nullopt;
  return kFrameBytes + length;
}

// The event of a record; none if it is damaged.
std::optional<std::string_view> event_in(std::string_view record) {
  const std::string_view event = record.substr(kFrameBefore, record.size() - kFrameBytes);
  if (masked_checksum(event) != record.substr(record.size() - 4)) return std::nullopt;
  return event;
}

struct KeptRecords {
  std::string records;
  bool damaged = false;  // whether a record before the first later one was damaged
};

// The intact records before the first one with a later step. The steps of a file do not decrease. Nothing can be read
// after a record whose length is damaged.
KeptRecords records_until(std::string_view text, int64_t step) try {
  KeptRecords kept;
  while (!text.empty()) {
    const auto size = record_size(text);
    const auto event = size ? event_in(text.substr(0, *size)) : std::nullopt;
    if (event && step_of(*event) > step) break;
    if (event) kept.records += text.substr(0, *size);
    kept.damaged = kept.damaged || !event;
    if (!size) break;
    text.remove_prefix(*size);
  }
  return kept;
} catch (const protozero::exception&) {  // not an event, despite its checksum
  return {.records = "", .damaged = true};
}

// Removes the events after `step` from a file, and damaged ones, at which TensorBoard stops reading. A session-start
// event purges the former only for TensorBoard's Python reader; the fast reader ignores it. Returns whether events were
// damaged.
bool remove_events_after(const fs::path& path, int64_t step) {
  const std::string text = read_file(path);
  const KeptRecords kept = step == 0 ? KeptRecords() : records_until(text, step);
  if (kept.records.empty()) {
    fs::remove(path);
  } else if (kept.records != text) {
    write_file_safely(path, kept.records);
  }
  return kept.damaged;
}

std::vector<fs::path> event_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (is_event_file(entry.path())) files.push_back(entry.path());
  }
  return files;
}

// TensorBoard reads the files of a folder in the order of their names. The new name starts with a later second than
// those of all existing files, so it sorts last.
fs::path new_event_file(const fs::path& folder, const std::vector<fs::path>& earlier) {
  auto second = static_cast<int64_t>(unix_seconds());
  for (const fs::path& path : earlier) {
    const std::string rest = path.filename().string().substr(kPrefix.size());
    second = std::max<int64_t>(second, std::strtoll(rest.c_str(), nullptr, 10) + 1);
  }
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0 || host[0] == '\0') host = {"localhost"};
  return folder / fmt::format("{}{:010}.{}.{}.frgan", kPrefix, second, host.data(), ::getpid());
}

}  // namespace

bool is_event_file(const fs::path& path) {
  return path.filename().string().starts_with(kPrefix);
}

TensorBoardLog::TensorBoardLog(const fs::path& folder, int64_t first_step, const Json& options)
    : TensorBoardLog(folder, event_files(folder), first_step, options) {}

TensorBoardLog::TensorBoardLog(const fs::path& folder, const std::vector<fs::path>& earlier, int64_t first_step,
                               const Json& options)
    : file_(new_event_file(folder, earlier)) {
  for (const fs::path& path : earlier) {
    if (remove_events_after(path, first_step)) damaged_.push_back(path);
  }
  const std::string version =
      event_record(0, [](pbf_writer& writer) { writer.add_string(event::kFileVersion, "brain.Event:2"); });
  const std::string purge = event_record(first_step + 1, [](pbf_writer& writer) {
    constexpr int32_t kStart = 1;
    add_message(writer, event::kSessionLog, [](pbf_writer& session) { session.add_enum(1, kStart); });
  });
  file_.append(bytes_of(version + purge + session_start_record(options)));
}

void TensorBoardLog::write(const StepRecord& record) {
  Scalars scalars;
  for (const auto& [name, number] : record.losses) scalars.emplace_back("loss/" + name, number);
  scalars.emplace_back("train/learning_rate", record.learning_rate);
  scalars.emplace_back("train/images_per_second", record.images_per_second);
  file_.append(bytes_of(scalars_record(record.step, scalars)));
}

void TensorBoardLog::write(const EvaluationRecord& record) {
  file_.append(bytes_of(scalars_record(record.step, {{"error/" + name_of(record.role), record.error}})));
}

void TensorBoardLog::write_samples(int64_t step, const fs::path& png) {
  const std::string bytes = read_file(png);
  const PngHeader size = read_png_header(bytes_of(bytes), png.string());
  file_.append(bytes_of(event_record(step, [&](pbf_writer& writer) {
    add_message(writer, event::kSummary, [&](pbf_writer& summary) {
      add_message(summary, 1, [&](pbf_writer& entry) {
        entry.add_string(value::kTag, "samples");
        add_message(entry, value::kImage, [&](pbf_writer& image) {
          image.add_int32(image::kHeight, size.height);
          image.add_int32(image::kWidth, size.width);
          image.add_int32(image::kColorspace, size.channels);
          image.add_bytes(image::kEncoded, bytes);
        });
      });
    });
  })));
}

void TensorBoardLog::finish(int64_t step) {
  constexpr int32_t kSuccess = 1;
  file_.append(bytes_of(hparams_record(step, "session_end_info", hparams::kSessionEnd, [](pbf_writer& end) {
    end.add_enum(1, kSuccess);
    end.add_double(2, unix_seconds());
  })));
}

}  // namespace frgan
