#include "bench/drawn_pictures.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "settings/table.h"

namespace disco {

DrawnPictures::DrawnPictures(fs::path folder, Settings settings)
    : folder_(std::move(folder)), settings_(std::move(settings)) {
  const fs::path file = folder_ / "settings.json";
  const std::string identity = to_json(with_prompt("", 0)).dump(1) + "\n";
  if (!fs::exists(file)) {
    fs::create_directories(folder_);
    write_file(file, identity);
  } else if (read_file(file) != identity) {
    throw RequestError("the folder holds pictures that were drawn with other settings", folder_.string(),
                       "give another folder with --out");
  }
}

Settings DrawnPictures::with_prompt(const std::string& text, int k) const {
  Settings settings = settings_;
  Prompt prompt;
  prompt.text = prompt.written = text;
  settings.text_prompts = {{0, {prompt}}};
  settings.image_prompts.clear();
  settings.seed = std::max<std::int64_t>(settings.seed, 0) + k;
  settings.n_batches = 1;
  settings.intermediate_saves = {};
  settings.batch_name = "picture";
  settings.image_format = "png";
  return settings;
}

Picture DrawnPictures::get(Engine& engine, const std::string& prompt, int k, const std::atomic<bool>* interrupt) const {
  const fs::path finished = folder_ / fmt::format("{:03}.png", k + 1);
  if (!fs::exists(finished)) {
    if (interrupt && interrupt->load()) {
      throw Interrupted("stopped between two pictures", folder_.string(), "run the same command again to go on");
    }
    // An interrupt within the run would leave a checkpoint that nobody resumes; a picture takes seconds.
    const fs::path work = folder_ / fmt::format("work-{:03}", k + 1);  // Others may be drawing into this folder.
    RunRequest run;
    run.resolved.settings = with_prompt(prompt, k);
    run.out = work;
    run.checkpoint_seconds = 1e9;
    RunListener silent;
    fs::rename(engine.run(run, silent).pictures.at(0), finished);
    fs::remove_all(work);
  }
  return to_rgb(read_picture(finished));
}

}  // namespace disco
