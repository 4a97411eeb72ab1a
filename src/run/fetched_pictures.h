// Pictures that settings name by their address, brought beside the run's outputs. No torch.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include "settings/settings.h"

namespace disco {

/// The settings with every http(s) picture (init_image, its masks, image_prompts) downloaded into `folder` and named by
/// its path there: what the run has seen stays with it, whatever becomes of the address, so that it can be resumed and
/// repeated. A picture that is there already is not asked for again; its file name is the address's SHA-256. `loading`
/// hears each address before it is fetched. Throws RequestError naming the setting and the address (not reachable,
/// larger than 64 MiB, no picture, a mask of another size), Interrupted, or Error (a full disk); nothing half-written
/// is left.
Settings with_fetched_pictures(Settings settings, const std::filesystem::path& folder,
                               const std::atomic<bool>* interrupt,
                               const std::function<void(const std::string&)>& loading);

}  // namespace disco
