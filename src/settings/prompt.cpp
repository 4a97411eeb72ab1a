#include "settings/prompt.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "settings/resolve.h"

namespace disco {
namespace {

/// Whether a suffix was meant as a weight: it starts as a number or as a list does.
bool starts_like_weight(std::string_view text) {
  text = trim(text);
  return !text.empty() && std::string_view("0123456789+-.[(").find(text.front()) != std::string_view::npos;
}

}  // namespace

bool is_url(std::string_view path) { return path.starts_with("http://") || path.starts_with("https://"); }

Prompt parse_prompt(const std::string& written, std::string* warning) {
  Prompt prompt;
  prompt.text = prompt.written = written;
  const std::size_t colon = written.rfind(':');
  const std::size_t scheme = is_url(written) ? written.find(':') : std::string::npos;
  if (colon == std::string::npos || colon == scheme) return prompt;
  const std::string_view suffix = std::string_view(written).substr(colon + 1);
  if (!starts_like_weight(suffix)) return prompt;
  try {
    prompt.weight = Schedule::parse(suffix);
    prompt.text = written.substr(0, colon);
  } catch (const RequestError& error) {
    if (warning) *warning = fmt::format("\"{}\" is taken as text without a weight ({})", written, error.problem());
  }
  return prompt;
}

Prompt parse_prompt(const std::string& written) { return parse_prompt(written, nullptr); }

const std::vector<Prompt>& prompts_at(const PromptFrames& frames, int frame) {
  static const std::vector<Prompt> none;
  if (frames.empty()) return none;
  const auto after = frames.upper_bound(frame);
  return after == frames.begin() ? after->second : std::prev(after)->second;
}

ClipChoice parse_clip_choice(const std::string& written) {
  std::string reason;
  for (std::size_t colon = 0; (colon = written.find(':', colon)) != std::string::npos;) {
    const std::size_t end = std::min(written.find_first_not_of(':', colon), written.size());
    if (end - colon == 1 && starts_like_weight(std::string_view(written).substr(end))) {
      try {
        return {std::string(trim(written.substr(0, colon))), Schedule::parse(std::string_view(written).substr(end))};
      } catch (const RequestError& error) {
        // A later colon may be the one before the weight; the last reason is the one to tell.
        reason = error.what();
      }
    }
    colon = end;
  }
  if (!reason.empty())
    throw RequestError(fmt::format("the weight of CLIP model \"{}\" cannot be read: {}", written, reason));
  return {std::string(trim(written)), Schedule(1.0)};
}

std::string clip_choice_text(const ClipChoice& choice) {
  const std::string text = choice.weight == Schedule(1.0) ? choice.name : choice.name + ":" + choice.weight.text();
  try {
    return parse_clip_choice(text) == choice ? text : std::string();
  } catch (const RequestError&) {
    return {};
  }
}

}  // namespace disco
