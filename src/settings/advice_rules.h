// The rules of advice.h by topic, and what they share. Only the advice_*.cpp files include this.
#pragma once

#include <string>
#include <vector>

#include "settings/advice.h"

namespace disco {

std::vector<AdviceRule> prompt_advice();
std::vector<AdviceRule> model_advice();
std::vector<AdviceRule> size_advice();
std::vector<AdviceRule> step_advice();
std::vector<AdviceRule> start_advice();
std::vector<AdviceRule> guidance_advice();
std::vector<AdviceRule> cut_advice();

/// Facts when `holds`, nothing otherwise.
std::optional<AdviceFacts> when(bool holds, AdviceFacts facts = {});

/// A number for people: three digits that matter, whole from 100 on, no trailing zeros.
std::string number_text(double value);
/// A share as a percentage: "37 %".
std::string percent_text(double share);

/// The mean of a schedule over the entries first … last.
double mean_over(const Schedule& schedule, int first, int last);
/// The most of a schedule over the entries first … last.
double most_over(const Schedule& schedule, int first, int last);

/// sqrt(ᾱ) of sampling step `index` (steps − 1 is the first one drawn, 0 the last): how much of the clean picture is in
/// the noisy one. The schedule of Disco Diffusion: T = floor(1000/steps)·steps for steps < 1000, else steps; betas
/// linear from 1e-4·(1000/T) to 2e-2·(1000/T); every (T/steps)-th is kept.
double clean_share(std::int64_t steps, std::int64_t index);

/// The share of the steps that is skipped before the first one drawn.
double skipped_share(const Settings& settings);
/// Whether every step is a PLMS step.
bool all_plms(const Settings& settings);
bool has_start_picture(const Settings& settings);
/// Pixels drawn, relative to 1280 × 768, the size the community's numbers were found at.
double relative_area(const Settings& settings);

}  // namespace disco
