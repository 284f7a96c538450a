#include "frgan/core/hardware.h"

namespace frgan {

void describe(OptionSet& options, Hardware& hardware) {
  options.group("Checkpoint", /*saved=*/false);
  options.add(
      "allow-older", hardware.allow_older,
      "Uses an older checkpoint if the newest one of a run is corrupt. Default: a corrupt checkpoint is an error.");
  options.group("Hardware", /*saved=*/false);
  options.add("device", hardware.device, "Device: auto, cpu, cuda or cuda:N; auto selects the first GPU, else the CPU.",
              device_suggestions());
  options.add("precision", hardware.precision,
              "Convolution precision; auto selects that of the run, but fp32 where bf16 is emulated.",
              precision_words());
  options.add("threads", hardware.threads, "Number of CPU threads; 0 uses all cores.",
              Range<int64_t>{0, 4096, "threads"});
}

}  // namespace frgan
