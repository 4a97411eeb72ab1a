// Advice on the cuts: what CLIP looks at, when, and how much of the picture that is.
#include <algorithm>
#include <cmath>
#include <vector>

#include "settings/advice_rules.h"
#include "settings/coverage.h"

namespace disco {
namespace {

constexpr int last_entry = Schedule::entries - 1;

int overview_at(const Settings& settings, int entry) { return static_cast<int>(settings.cut_overview.at(entry)); }
int inner_at(const Settings& settings, int entry) { return static_cast<int>(settings.cut_innercut.at(entry)); }
int cuts_at(const Settings& settings, int entry) { return overview_at(settings, entry) + inner_at(settings, entry); }

double early_inner(const Settings& settings) { return mean_over(settings.cut_innercut, 0, 199); }

int smallest_clip_input(const Settings& settings) {
  int size = settings.clip_models.empty() ? 224 : clip_input_size(settings.clip_models.front().name);
  for (const ClipChoice& clip : settings.clip_models) size = std::min(size, clip_input_size(clip.name));
  return size;
}

/// The part of the run where inner cuts draw the details.
std::vector<InnerCoverage> late_coverage(const Settings& settings) {
  return {{settings, 650}, {settings, 750}, {settings, 850}, {settings, 950}};
}

double mean_share(const std::vector<InnerCoverage>& coverage, std::int64_t batches) {
  double sum = 0;
  for (const InnerCoverage& entry : coverage) sum += entry.share(static_cast<double>(batches));
  return sum / static_cast<double>(coverage.size());
}

std::optional<AdviceFacts> little_coverage(const Settings& settings) {
  if (mean_over(settings.cut_innercut, 600, last_entry) < 1 || settings.clip_models.empty()) return std::nullopt;
  const std::vector<InnerCoverage> coverage = late_coverage(settings);
  const double share = mean_share(coverage, settings.cutn_batches);
  if (share >= 0.6) return std::nullopt;
  std::int64_t batches = settings.cutn_batches;
  while (batches < 64 && mean_share(coverage, batches) < 0.8) ++batches;
  const double side = expected_inner_size(settings, smallest_clip_input(settings), settings.cut_ic_pow.at(800));
  return AdviceFacts{{"share", percent_text(share)}, {"side", number_text(side)}, {"batches", std::to_string(batches)}};
}

std::optional<AdviceFacts> inner_early(const Settings& settings) {
  return when(early_inner(settings) > 2, {{"count", number_text(early_inner(settings))}});
}

std::optional<AdviceFacts> inner_falls(const Settings& settings) {
  const double middle = mean_over(settings.cut_innercut, 400, 599),
               late = mean_over(settings.cut_innercut, 800, last_entry);
  return when(late < middle, {{"middle", number_text(middle)}, {"late", number_text(late)}});
}

bool wide(const Settings& settings) { return settings.drawn_width() > settings.drawn_height(); }
bool tall(const Settings& settings) { return settings.drawn_height() > settings.drawn_width(); }

std::optional<AdviceFacts> overview_late(const Settings& settings) {
  double late = 0, all = 0;
  for (int entry = 0; entry < Schedule::entries; ++entry) {
    all += cuts_at(settings, entry);
    if (entry >= 800 && inner_at(settings, entry) > 0) late += overview_at(settings, entry);
  }
  return when(late > 0, {{"share", percent_text(late / std::max(all, 1.0))}});
}

std::optional<AdviceFacts> cuts_peak(const Settings& settings) {
  std::vector<int> counts;
  int peak_entry = 0;
  for (int entry = 0; entry < Schedule::entries; ++entry) {
    counts.push_back(cuts_at(settings, entry));
    if (counts.back() > counts[static_cast<std::size_t>(peak_entry)]) peak_entry = entry;
  }
  const int peak = counts[static_cast<std::size_t>(peak_entry)];
  std::nth_element(counts.begin(), counts.begin() + Schedule::entries / 2, counts.end());
  const int usual = counts[Schedule::entries / 2];
  return when(
      peak > 1.25 * usual && peak >= usual + 4,
      {{"peak", std::to_string(peak)}, {"entry", std::to_string(peak_entry)}, {"usual", std::to_string(usual)}});
}

std::optional<AdviceFacts> cuts_none(const Settings& settings) {
  int blind = 0;
  for (int entry = 0; entry < Schedule::entries; ++entry) blind += cuts_at(settings, entry) <= 0;
  return when(blind > 0, {{"share", percent_text(blind / double{Schedule::entries})}});
}

std::optional<AdviceFacts> high_power(const Settings& settings) {
  const double power = settings.cut_ic_pow.maximum();
  const int input = smallest_clip_input(settings);
  return when(power > 60, {{"power", number_text(power)},
                           {"side", number_text(expected_inner_size(settings, input, power))},
                           {"half", number_text(expected_inner_size(settings, input, power / 2))},
                           {"least", number_text(expected_inner_size(settings, input, 1e12))}});
}

bool any_inner(const Settings& settings) { return settings.cut_innercut.maximum() >= 1; }

/// In disco-5.7 inner cut k is grey when k <= int(p·n): one more than the share asks.
std::optional<AdviceFacts> grey_quirk(const Settings& settings) {
  int entries = 0;
  double grey = 0;
  for (int entry = 0; entry < Schedule::entries; ++entry) {
    const int inner = inner_at(settings, entry);
    if (inner < 1 || inner > 2) continue;
    ++entries;
    grey += std::min(1.0, (std::floor(settings.cut_icgray_p.at(entry) * inner) + 1) / inner);
  }
  return when(settings.faithful() && entries >= 100, {{"entries", percent_text(entries / double{Schedule::entries})},
                                                      {"grey", percent_text(grey / std::max(entries, 1))}});
}

}  // namespace

std::vector<AdviceRule> cut_advice() {
  return {
      {"inner-coverage", "cut_ic_pow", little_coverage,
       "Inner cuts of about {side} pixels see {share} of the picture in one step, all models and batches together; the "
       "rest "
       "waits for a later step, and detail grows in patches.",
       "Lower cut_ic_pow, or raise cutn_batches to about {batches}.", "mathematics"},
      {"power-blank", "cut_ic_pow",
       [](const Settings& settings) {
         return when(!settings.use_secondary_model && any_inner(settings) && settings.cut_ic_pow.maximum() <= 1);
       },
       "Without the secondary model, cut_ic_pow 1 often ends in blank pictures.",
       "20 (5 to 50), less for larger pictures.", "guide"},
      {"power-zero", "cut_ic_pow",
       [](const Settings& settings) {
         return when(settings.use_secondary_model && any_inner(settings) && settings.cut_ic_pow.maximum() == 0);
       },
       "At 0 every inner cut is the largest square that fits: detail is never looked at closely.", "5 to 15.",
       "mathematics"},
      {"power-high", "cut_ic_pow", high_power,
       "There is no threshold at 100, only ever less to gain: inner cuts average {side} pixels at {power}, {half} at "
       "half "
       "of it, and can't be smaller than {least}.",
       "5 to 50.", "mathematics"},
      {"power-grain", "cut_ic_pow",
       [](const Settings& settings) {
         return when(!settings.use_secondary_model && settings.cut_ic_pow.maximum() > 20 &&
                     settings.tv_scale.maximum() <= 0);
       },
       "Small cuts bring motifs, and grain with them.", "tv_scale 10000 to 50000 beside it.", "guide"},
      {"inner-early", "cut_innercut", inner_early,
       "The first fifth of the run decides the composition, and {count} inner cuts already look for the subject in "
       "every "
       "corner of it.",
       "0 to 2 there, for example [2]*200+[4]*200+[12]*600, with overview cuts to make up for them.", "guide"},
      {"inner-landscape", "cut_innercut",
       [](const Settings& settings) {
         return when(wide(settings) && any_inner(settings) && most_over(settings.cut_innercut, 0, 199) < 1);
       },
       "No inner cuts in the first fifth suits a figure; a landscape tends to stay empty.",
       "1 or 2 there for a landscape; leave it for a figure.", "guide"},
      {"inner-figure", "cut_innercut",
       [](const Settings& settings) {
         return when(tall(settings) && early_inner(settings) >= 1 && early_inner(settings) <= 2);
       },
       "A tall picture is often a figure, and figures come out better without early inner cuts.",
       "For a figure none in the first fifth ([0]*200); leave it for a landscape.", "guide"},
      {"inner-falls", "cut_innercut", inner_falls,
       "Inner cuts fall from {middle} in the middle to {late} at the end, where the details are drawn.",
       "Let them rise: [2]*200+[4]*200+[12]*600.", "guide"},
      {"overview-late", "cut_overview", overview_late,
       "In the last fifth the layout is settled; the overview cuts there are {share} of all cuts you pay for.",
       "End cut_overview with [0]*200.", "guide"},
      {"cuts-peak", "cut_overview", cuts_peak,
       "Overview and inner cuts add up to {peak} at entry {entry}, against {usual} for most of the run. The most cuts "
       "in one "
       "step decide the memory.",
       "Let both schedules change at the same entries, so that their sum stays about {usual}.", "mathematics"},
      {"cuts-none", "cut_overview", cuts_none,
       "For {share} of the run there are no cuts at all: CLIP sees nothing and your words have no effect there.",
       "At least one cut of either kind at every entry.", "mathematics"},
      {"grey-late", "cut_icgray_p",
       [](const Settings& settings) { return when(mean_over(settings.cut_icgray_p, 450, last_entry) > 0.01); },
       "Grey cuts help the forms at first; after 45 % of the run they drain the colour from the details.",
       "0 from 40 to 45 % on, for example [0.7]*100+[0.6]*100+[0.45]*100+[0.3]*100+[0]*600.", "guide"},
      {"grey-compat", "cut_icgray_p", grey_quirk,
       "disco-5.7 makes one inner cut more grey than asked, even at 0. For the {entries} of the run with one or two "
       "inner "
       "cuts, {grey} of them are grey.",
       "More inner cuts there, or none; or compat none, which keeps to the share.", "mathematics"},
      {"many-batches", "cutn_batches",
       [](const Settings& settings) {
         return when(settings.cutn_batches > 8, {{"batches", std::to_string(settings.cutn_batches)}});
       },
       "{batches} batches cost {batches} times the time of one; past 8 the difference can hardly be seen.",
       "2 to 4; 8 for much detail.", "guide"},
      {"no-augmentation", "skip_augs", [](const Settings& settings) { return when(settings.skip_augs); },
       "Without augmentation CLIP can be pleased by patterns that only it can see.", "Leave skip_augs off.", "guide"},
  };
}

}  // namespace disco
