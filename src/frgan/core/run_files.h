// Names of the files and folders in a run folder.
#pragma once

#include <string_view>

namespace frgan {

constexpr std::string_view kOptionsFile = "options.toml";              // all options; settings/config_file.h reads it
constexpr std::string_view kLabelsFile = "labels.json";                // the label split; data/label_split_file.h
constexpr std::string_view kLabelsTable = "labels.csv";                // labels of files; data/labels_table.h
constexpr std::string_view kImagesFile = "images.json";                // hashes of the images; data/image_hashes_file.h
constexpr std::string_view kPlanFile = "plan.json";                    // core/step_plan.h
constexpr std::string_view kLogFile = "metrics.jsonl";                 // report/run_log.h
constexpr std::string_view kLockFile = "lock";                         // io/folder_lock.h
constexpr std::string_view kSummaryFile = "summary.json";              // report/run_summary.h
constexpr std::string_view kMistakesFile = "mistakes.json";            // report/mistakes.h
constexpr std::string_view kMistakesImage = "mistakes.png";            // the misclassified images as a grid
constexpr std::string_view kQualityFile = "quality.json";              // metrics/quality.h
constexpr std::string_view kGatesFile = "gates.json";                  // report/gates.h
constexpr std::string_view kLearningCurveFile = "learning_curve.svg";  // report/learning_curve.h
constexpr std::string_view kCheckpointsFolder = "checkpoints";         // io/checkpoint_files.h
constexpr std::string_view kCheckpointStateFile = "state.json";        // in a checkpoint; classifier/checkpoint.h
constexpr std::string_view kSamplesFolder = "samples";                 // grids of generated images, step-NNNNNNNN.png

}  // namespace frgan
