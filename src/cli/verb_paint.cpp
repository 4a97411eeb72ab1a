// paint: pictures of the little world that the shipped models know, with captions, as a folder to look at or train on.
#include <fmt/format.h>

#include "cli/engine_library.h"
#include "cli/interrupt.h"
#include "cli/text_table.h"
#include "cli/training_told.h"
#include "cli/verbs.h"
#include "core/error.h"

namespace disco {
namespace {

class PaintingTold final : public TrainingTold {
 public:
  using TrainingTold::TrainingTold;

 private:
  nlohmann::ordered_json event(const TrainProgress& now) const override {
    return {{"event", "paint"}, {"picture", now.step}, {"pictures", now.steps}, {"seconds_left", now.seconds_left}};
  }
  std::string line(const TrainProgress& now) const override {
    return fmt::format("picture {}/{}  {:.0f} a second", now.step, now.steps, now.samples_per_second);
  }
};

int paint_pictures(const CommandLine& line, Reporter& reporter) {
  if (line.operands.size() != 1) {
    throw RequestError("it paints into one folder", "disco paint", "write: disco paint pictures --count 200");
  }
  PaintRequest request;
  request.folder = line.operands.front();
  request.count = line.whole_number("--count", request.count, 1);
  request.side = line.whole_number("--side", request.side, 16);
  request.seed = static_cast<std::uint64_t>(line.whole_number("--seed", 1, 0));
  request.variety = line.number("--variety", request.variety, 0);
  request.styled = line.number("--styled", request.styled, 0);
  request.coloured = line.number("--coloured", request.coloured, 0);
  request.subject = line.text("--subject");
  request.sky = line.text("--sky");
  request.ground = line.text("--ground");
  request.style = line.text("--style");
  request.palette = line.text("--palette");
  const InterruptGuard guard(reporter.interrupt_notice("stopping after this picture"));
  PaintingTold events(reporter, guard.flag(), line.text("--progress") == "json");
  load_painter()(request, events);
  print(request.folder.string() + "\n");
  return 0;
}

}  // namespace

Verb paint_verb() {
  std::vector<Flag> flags = {
      {"--count", "N", "how many pictures (default 24)"},
      {"--side", "N", "pixels, 16 to 2048 (default 256)"},
      {"--seed", "N", "of all pictures (default 1)"},
      {"--subject", "NAME", "what all of them show: lighthouse, castle, …"},
      {"--sky", "NAME", "their sky: sunset, night, …"},
      {"--ground", "NAME", "their ground: sea, desert, …"},
      {"--style", "NAME", "their style: oil painting, stained glass, …"},
      {"--palette", "NAME", "their colours: pastel colours, sepia, …"},
      {"--variety", "SHARE", "how much scenes of the same things differ, 0 to 1 (default 1)"},
      {"--styled", "SHARE", "of the pictures that have a style, 0 to 1 (default 0.5)"},
      {"--coloured", "SHARE", "of the pictures that have a palette, 0 to 1 (default 0.5)"},
  };
  for (Flag& flag : reporting_flags()) flags.push_back(flag);
  return {"paint",
          "paint pictures with captions, such as the shipped models learn from",
          "FOLDER [FLAGS]",
          "  Beside each picture lies a text file with three captions. `disco train diffusion --data FOLDER` learns\n"
          "  from such a folder, or from one of your own images.\n",
          flags,
          false,
          {},
          paint_pictures};
}

}  // namespace disco
