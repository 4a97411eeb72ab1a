// The values that are lists: numbers, CLIP models, prompts and partial pictures.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/text.h"
#include "settings/prompt.h"
#include "settings/table_values.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

constexpr int frame_limit = 10'000'000;

/// Parts between commas that lie outside brackets.
std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '(') ++depth;
    if (c == ']' || c == ')') --depth;
    if (c == ',' && depth <= 0) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  for (std::string& part : parts) part = trim(part);
  std::erase(parts, "");
  return parts;
}

/// A list as it is, a text as its parts, anything else as a list of one.
Json as_list(const Json& value) {
  Json given = unpacked(value);
  if (given.is_array()) return given;
  if (given.is_string()) return split_list(given.get_ref<const std::string&>());
  return Json::array({given});
}

/// The weight of an object. Its range is not that of the setting.
Schedule read_weight(const ValueContext& context, const Json& value, const std::string& where) {
  const SettingSpec spec{.key = "weight", .member = context.spec.member, .default_text = "", .group = "", .help = ""};
  Schedule weight;
  read_value(ValueContext{spec, where, context.warnings}, value, weight);
  return weight;
}

ClipChoice read_clip_choice(const ValueContext& context, const Json& value, std::size_t number) {
  const std::string where = fmt::format("{}: model {}", context.where, number);
  ClipChoice choice;
  if (value.is_string()) {
    try {
      choice = parse_clip_choice(value.get<std::string>());
    } catch (const RequestError& error) {
      throw RequestError(error.problem(), where, error.fix());
    }
  } else if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      if (key == "name" && item.is_string()) {
        choice.name = item.get<std::string>();
      } else if (key == "weight") {
        choice.weight = read_weight(context, item, where);
      } else {
        throw RequestError(fmt::format("'{}' is not understood here", key), where,
                           "a CLIP model has a name and a weight");
      }
    }
  } else {
    context.fail(fmt::format("model {} is neither a name nor an object", number));
  }
  if (choice.name.empty()) throw RequestError("the model has no name", where, "give a name such as \"ViT-B/32\"");
  return choice;
}

Prompt read_prompt_object(const ValueContext& context, const Json& value, const std::string& where) {
  Prompt prompt;
  for (const auto& [key, item] : value.items()) {
    if ((key == "text" || (key == "path" && context.spec.is_path)) && item.is_string()) {
      prompt.text = item.get<std::string>();
      if (prompt.written.empty()) prompt.written = prompt.text;
    } else if (key == "weight") {
      prompt.weight = read_weight(context, item, where);
    } else if (key == "clip_models" && (item.is_string() || item.is_array())) {
      prompt.clip_models.clear();
      for (const Json& name : as_list(item)) {
        if (!name.is_string()) throw RequestError("clip_models holds something that is no name", where);
        prompt.clip_models.push_back(name.get<std::string>());
      }
    } else if (key == "written" && item.is_string()) {
      prompt.written = item.get<std::string>();
    } else {
      throw RequestError(fmt::format("'{}' is not understood here", key), where,
                         "a prompt has a text, and may have a weight and clip_models");
    }
  }
  if (!value.contains("text") && !value.contains("path"))
    throw RequestError("the prompt has no text", where, "give it a \"text\"");
  return prompt;
}

Prompt read_prompt(const ValueContext& context, const Json& value, const std::string& where) {
  if (value.is_object()) return read_prompt_object(context, value, where);
  if (!value.is_string()) context.fail("a prompt is neither a text nor an object");
  std::string warning;
  Prompt prompt = parse_prompt(value.get<std::string>(), &warning);
  if (!warning.empty()) context.warn(warning);
  return prompt;
}

std::vector<Prompt> read_prompts(const ValueContext& context, const Json& value, const std::string& where) {
  std::vector<Prompt> prompts;
  if (value.is_null()) return prompts;
  if (!value.is_array()) return {read_prompt(context, value, where + ": prompt 1")};
  for (const Json& item : value) {
    prompts.push_back(read_prompt(context, item, fmt::format("{}: prompt {}", where, prompts.size() + 1)));
  }
  return prompts;
}

/// A frame's number, or -1.
int frame_number(const std::string& key) {
  int frame = -1;
  const auto [stop, error] = std::from_chars(key.data(), key.data() + key.size(), frame);
  return error == std::errc{} && stop == key.data() + key.size() && frame <= frame_limit ? frame : -1;
}

Json write_prompt(const Prompt& prompt) {
  if (parse_prompt(prompt.written, nullptr) == prompt) return prompt.written;
  Json object = {{"text", prompt.text}, {"weight", write_value(prompt.weight)}};
  if (!prompt.clip_models.empty()) object["clip_models"] = prompt.clip_models;
  if (prompt.written != prompt.text) object["written"] = prompt.written;
  return object;
}

}  // namespace

void read_value(const ValueContext& context, const Json& value, std::vector<double>& result) {
  std::vector<double> numbers;
  for (const Json& item : as_list(value)) {
    double number = 0;
    read_value(context, item, number);
    numbers.push_back(number);
  }
  result = std::move(numbers);
}

void read_value(const ValueContext& context, const Json& value, std::vector<ClipChoice>& result) {
  std::vector<ClipChoice> choices;
  for (const Json& item : as_list(value)) choices.push_back(read_clip_choice(context, item, choices.size() + 1));
  result = std::move(choices);
}

void read_value(const ValueContext& context, const Json& value, PromptFrames& result) {
  const Json given = unpacked(value);
  PromptFrames frames;
  if (given.is_object() && !given.contains("text") && !given.contains("path")) {
    for (const auto& [key, item] : given.items()) {
      const int frame = frame_number(key);
      if (frame < 0) context.fail(fmt::format("'{}' is not the number of a frame", key));
      frames[frame] = read_prompts(context, item, fmt::format("{}: frame {}", context.where, frame));
    }
  } else {
    std::vector<Prompt> prompts = read_prompts(context, given, context.where);
    if (!prompts.empty()) frames[0] = std::move(prompts);
  }
  result = std::move(frames);
}

void read_value(const ValueContext& context, const Json& value, IntermediateSaves& result) {
  IntermediateSaves saves;
  const Json given = unpacked(value);
  const bool one =
      !given.is_array() && !(given.is_string() && given.get_ref<const std::string&>().find(',') != std::string::npos);
  if (one) {
    std::int64_t count = 0;
    read_value(context, given, count);
    saves.count = static_cast<int>(count);
  } else {
    for (const Json& item : as_list(given)) {
      double place = 0;
      read_value(context, item, place);
      if (place > 0 && place < 1) {
        saves.shares.push_back(place);
      } else if (place >= 1 && std::floor(place) == place) {
        saves.steps.push_back(static_cast<int>(place));
      } else {
        context.fail(fmt::format("{} is neither a step (1 or more) nor a share between 0 and 1", place));
      }
    }
  }
  result = std::move(saves);
}

Json write_value(const std::vector<ClipChoice>& value) {
  Json list = Json::array();
  for (const ClipChoice& choice : value) {
    const std::string text = clip_choice_text(choice);
    list.push_back(text.empty() ? Json{{"name", choice.name}, {"weight", write_value(choice.weight)}} : Json(text));
  }
  return list;
}

Json write_value(const PromptFrames& value) {
  Json object = Json::object();
  for (const auto& [frame, prompts] : value) {
    Json list = Json::array();
    for (const Prompt& prompt : prompts) list.push_back(write_prompt(prompt));
    object[std::to_string(frame)] = std::move(list);
  }
  return object;
}

Json write_value(const IntermediateSaves& value) {
  if (value.steps.empty() && value.shares.empty()) return value.count;
  Json list = Json::array();
  for (const int step : value.steps) list.push_back(step);
  for (const double share : value.shares) list.push_back(share);
  return list;
}

}  // namespace disco
