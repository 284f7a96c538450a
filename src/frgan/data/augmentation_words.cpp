// The words of augmentation options, and augmentation policies by name.
#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/data/augment.h"
#include "frgan/data/load_dataset.h"
#include "frgan/device/batch.h"

namespace frgan {
namespace {

constexpr int64_t kMostTranslation = 15;  // pixels; reflection needs less than the smallest image size, 16
constexpr double kMostNoise = 2;          // standard deviation, for pixels in [-1, 1]
constexpr int64_t kMostOperations = 8;

// "rotate:-10:10": the text, and its parts between colons.
struct Word {
  std::string text;
  std::vector<std::string> parts;

  const std::string& name() const { return parts.front(); }
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char letter : text) {
    if (letter == separator) {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  return parts;
}

// The number that the text consists of; no value if there is anything else in it.
template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

// The only argument of a word; no value if it is not a number or if there are more arguments.
template <class T>
std::optional<T> argument(const Word& word) {
  return word.parts.size() == 2 ? number<T>(word.parts[1]) : std::nullopt;
}

// The operation that randaugment may choose by this name; null for other words.
const OperationInfo* find_operation(std::string_view name) {
  for (const OperationInfo& info : image_operations()) {
    if (info.operation != ImageOperation::kCutout && info.name == name) return &info;
  }
  return nullptr;
}

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (const OperationInfo& info : image_operations()) {
    if (info.operation != ImageOperation::kCutout) names.emplace_back(info.name);
  }
  return names;
}

// The operations of FixMatch's RandAugment (Table 12): all but inversion and cutout.
std::vector<ChosenOperation> operations_of_fix_match() {
  std::vector<ChosenOperation> choices;
  for (const OperationInfo& info : image_operations()) {
    if (info.operation == ImageOperation::kInvert || info.operation == ImageOperation::kCutout) continue;
    choices.push_back({info.operation, info.low, info.high});
  }
  return choices;
}

// Reads the words of one option.
class Parser {
 public:
  explicit Parser(std::string_view source) : source_(source) {}

  void read(const Word& word) {
    if (std::ranges::find(seen_, word.name()) != seen_.end()) {
      throw usage_error(fmt::format("{}: {} is given twice", source_, word.name()));
    }
    seen_.push_back(word.name());
    if (word.name() == "translate") {
      result_.translate = checked<int64_t>(
          word, [](int64_t pixels) { return 1 <= pixels && pixels <= kMostTranslation; },
          fmt::format("PIXELS must be 1 to {}, as in translate:2", kMostTranslation));
    } else if (word.name() == "noise") {
      result_.noise = checked<double>(
          word, [](double deviation) { return 0 < deviation && deviation <= kMostNoise; },
          fmt::format("DEVIATION must be above 0, at most {}, as in noise:0.15", kMostNoise));
    } else if (word.name() == "randaugment") {
      result_.operations = checked<int64_t>(
          word, [](int64_t count) { return 1 <= count && count <= kMostOperations; },
          fmt::format("N must be 1 to {}, as in randaugment:2", kMostOperations));
    } else if (word.name() == "cutout") {
      result_.cutout = checked<double>(
          word, [](double share) { return 0 < share && share <= 1; },
          "SHARE must be above 0, at most 1, as in cutout:0.5");
    } else if (const OperationInfo* const operation = find_operation(word.name())) {
      result_.choices.push_back(chosen(word, *operation));
    } else {
      if (word.parts.size() > 1) fail(word, fmt::format("use '{}' without a number", word.name()));
      result_.flip = result_.flip || word.name() == "flip";
    }
  }

  Augmentation result(const std::vector<std::string>& words) {
    if (result_.operations == 0 && !result_.choices.empty()) {
      const auto first = static_cast<size_t>(result_.choices.front().operation);
      throw usage_error(fmt::format("{}: '{}' needs randaugment:N, the number of operations", source_,
                                    image_operations()[first].name));
    }
    if (result_.operations > 0 && result_.choices.empty()) result_.choices = operations_of_fix_match();
    if (seen_.size() > 1 && std::ranges::find(seen_, "none") != seen_.end()) {
      throw usage_error(
          fmt::format("{}: 'none' cannot be combined with others: got '{}'", source_, fmt::join(words, ",")));
    }
    return result_;
  }

 private:
  [[noreturn]] void fail(const Word& word, const std::string& reason) const {
    throw usage_error(fmt::format("{}: invalid augmentation '{}'; {}", source_, word.text, reason));
  }

  // The argument of the word, which must be allowed.
  template <class T, class Allowed>
  T checked(const Word& word, const Allowed& is_allowed, const std::string& reason) const {
    const std::optional<T> value = argument<T>(word);
    if (!value || !is_allowed(*value)) fail(word, reason);
    return *value;
  }

  ChosenOperation chosen(const Word& word, const OperationInfo& operation) const {
    if (word.parts.size() == 1) return {operation.operation, operation.low, operation.high};
    if (operation.magnitude.empty()) fail(word, fmt::format("use '{}' without a number", word.name()));
    const bool has_range = word.parts.size() == 3;
    const auto low = has_range ? number<double>(word.parts[1]) : std::nullopt;
    const auto high = has_range ? number<double>(word.parts[2]) : std::nullopt;
    if (!low || !high || !(operation.least <= *low && *low <= *high && *high <= operation.most)) {
      fail(word, fmt::format("LOW and HIGH must be {} to {} ({}), as in {}:{}:{}", operation.least, operation.most,
                             operation.magnitude, word.name(), operation.low, operation.high));
    }
    return {operation.operation, *low, *high};
  }

  std::string_view source_;
  Augmentation result_;
  std::vector<std::string> seen_;
};

std::vector<std::string> built_in_words() {
  std::vector<std::string> names = operation_names();
  names.insert(names.end(), {"translate", "noise", "flip", "none", "randaugment", "cutout"});
  return names;
}

// The words of each of the user's policies.
std::map<std::string, std::vector<std::string>> own_policies(const std::vector<std::string>& definitions) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  const std::vector<std::string> reserved = built_in_words();
  std::map<std::string, std::vector<std::string>> own;
  for (const std::string& definition : definitions) {
    const size_t equals = definition.find('=');
    const std::string name = definition.substr(0, equals);
    if (equals == std::string::npos || name.empty() || name.find_first_not_of(kLetters) != std::string::npos) {
      throw usage_error(fmt::format(
          "--policies: invalid policy '{}'; write NAME=WORD+WORD, as in mine=translate:4+randaugment:3", definition));
    }
    if (std::ranges::find(reserved, name) != reserved.end()) {
      throw usage_error(fmt::format("--policies: '{}' is a word of augmentations; choose another name", name));
    }
    if (name == kWeakPolicy || name == kStrongPolicy) {
      throw usage_error(fmt::format("--policies: the policy '{}' exists already; set its words with --{}", name,
                                    name == kWeakPolicy ? "augmentation" : "strong-augmentation"));
    }
    if (!own.emplace(name, split(definition.substr(equals + 1), '+')).second) {
      throw usage_error(fmt::format("--policies: the policy '{}' is defined twice", name));
    }
  }
  return own;
}

}  // namespace

void describe(OptionSet& options, AugmentationOptions& augmentation) {
  options.group("Data");
  options.add(
      "augmentation", augmentation.augmentation,
      "Random augmentation of training images: translate:PIXELS, noise:DEVIATION (for pixels in [-1, 1]), "
      "flip (not for digits); or none (A14, A26: the paper's random change f; A21: with or without augmentation).");
  options.add(
      "strong-augmentation", augmentation.strong,
      fmt::format(
          "Augmentation of the strong views of fixmatch and imsat. It has the words of --augmentation, and two more. "
          "randaugment:N applies N random operations. cutout:SHARE draws a gray square of up to this share "
          "of the image's side. randaugment chooses from all operations but invert, or from those that "
          "are named: {}. NAME:LOW:HIGH also sets the range of the magnitudes, as in rotate:-10:10.",
          fmt::join(operation_names(), ", ")));
  options.add("policies", augmentation.policies,
              "Your own augmentation policies, NAME=WORD+WORD, as in mine=translate:4+randaugment:3. Their names are "
              "words for --augmentation and --strong-augmentation. In a config file, they can be a table [policies] "
              "with lines such as mine = [\"translate:4\", \"randaugment:3\"].");
}

Augmentation parse_augmentation(const std::vector<std::string>& words, std::string_view source,
                                const std::vector<std::string>& own) {
  const auto policies = own_policies(own);
  std::vector<std::string> names = built_in_words();
  for (const auto& [name, policy] : policies) names.push_back(name);
  Parser parser(source);
  const auto read = [&](const std::string& text) {
    const Word word{text, split(text, ':')};
    if (std::ranges::find(names, word.name()) == names.end()) {
      const std::string near = nearest_name(word.name(), names);
      throw usage_error(
          fmt::format("{}: unknown augmentation '{}'; {}allowed: translate:PIXELS, noise:DEVIATION, flip, none, "
                      "randaugment:N, cutout:SHARE, names of operations{}",
                      source, text, near.empty() ? "" : fmt::format("did you mean '{}'? ", near),
                      policies.empty() ? "" : " and of policies"));
    }
    parser.read(word);
  };
  for (const std::string& text : words) {
    const auto policy = policies.find(text);
    if (policy == policies.end()) {
      read(text);
    } else {
      for (const std::string& word : policy->second) read(word);
    }
  }
  return parser.result(words);
}

Policies built_in_policies() {
  return {{kWeakPolicy, {}}, {kStrongPolicy, {}}, {kNoisePolicy, {.noise = 0.15}}, {kNoPolicy, {}}};
}

Policies augmentation_policies(const AugmentationOptions& options) {
  Policies policies = built_in_policies();
  for (const auto& [name, words] : own_policies(options.policies)) {
    policies[name] = parse_augmentation(words, fmt::format("--policies: {}", name));
  }
  policies[kWeakPolicy] = parse_augmentation(options.augmentation, "--augmentation", options.policies);
  policies[kStrongPolicy] = parse_augmentation(options.strong, "--strong-augmentation", options.policies);
  return policies;
}

void check_flips(const Policies& policies, std::string_view dataset) {
  const auto kind = std::ranges::find(dataset_kinds(), dataset, &DatasetKind::name);
  if (kind == dataset_kinds().end() || kind->allows_flips) return;
  const auto flips = std::ranges::find_if(policies, [](const auto& policy) { return policy.second.flip; });
  if (flips == policies.end()) return;
  throw usage_error(
      fmt::format("augmentation policy '{}': 'flip' mirrors images, and mirrored digits are not digits ({}); remove it",
                  flips->first, dataset));
}

}  // namespace frgan
