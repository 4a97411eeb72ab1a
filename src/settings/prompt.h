// The text forms of prompts and of choices of CLIP models.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "settings/settings.h"

namespace disco {

/// "text:weight" split at the last colon (for http(s) URLs at the last colon after the scheme); the weight is a number
/// or a schedule. Without a weight it is 1. When what follows the colon starts like a number and is none, the whole
/// string is the text, and `warning`, when given, says so.
Prompt parse_prompt(const std::string& written, std::string* warning);

/// The prompts that hold at `frame`: those of the last entry at or before it, or of the first entry when all are later,
/// as 5.7 fills them in. Empty when there are none.
const std::vector<Prompt>& prompts_at(const PromptFrames& frames, int frame);

/// "NAME" or "NAME:weight". Names hold colons of their own in pairs ("ViT-B-32::laion2b_e16"); the weight follows a
/// single colon and is a number or a schedule. Throws RequestError when it starts like a number and is none.
ClipChoice parse_clip_choice(const std::string& written);
/// The text that parses to `choice`; empty when only an object can hold it.
std::string clip_choice_text(const ClipChoice& choice);

/// Whether a path is an address that is fetched: http:// or https://.
bool is_url(std::string_view path);

}  // namespace disco
