// What a run is expected to take, and what it gives up to fit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "kernels/choice.h"
#include "run/memory_estimate.h"
#include "run/memory_model.h"
#include "support.h"

namespace disco {
namespace {

constexpr std::uint64_t plenty = std::uint64_t{1} << 50;

ModelStore test_models() { return ModelStore({golden::models_folder()}); }

Settings settings_of(nlohmann::ordered_json values = {}) {
  values.emplace("cut_overview", "[12]*1000");
  return quick_settings(std::move(values)).settings;
}

MemoryEstimate estimate(const Settings& settings, std::uint64_t limit) {
  return estimate_memory(settings, test_models(), limit);
}

TEST(Memory, NothingIsGivenUpWhereItFits) {
  const MemoryEstimate whole = estimate(settings_of(), plenty);
  EXPECT_EQ(whole.plan, MemoryPlan{});
  EXPECT_EQ(whole.peak, whole.unplanned_peak);
  EXPECT_TRUE(whole.fits());
}

TEST(Memory, CutsAreGivenUpBeforeTime) {
  const Settings settings = settings_of({{"use_secondary_model", false}, {"clip_models", {"ViT-L/14"}}});
  const MemoryEstimate whole = estimate(settings, plenty), least = estimate(settings, 1);
  EXPECT_FALSE(least.fits());
  EXPECT_FALSE(least.suggestion.empty());
  EXPECT_EQ(least.plan, (MemoryPlan{1, true, false, true}));
  EXPECT_LT(least.peak, whole.peak);
  const MemoryEstimate between = estimate(settings, whole.peak - 1);
  EXPECT_TRUE(between.fits());
  EXPECT_EQ(between.plan, (MemoryPlan{7})) << "half of the 14 cuts";
  EXPECT_TRUE(estimate(settings, least.peak).fits());
}

TEST(Memory, TheSecondaryModelLeavesNothingToRecompute) { EXPECT_FALSE(estimate(settings_of(), 1).plan.recompute); }

TEST(Memory, WeightsAreHalvedLast) {
  const Settings settings =
      settings_of({{"diffusion_model", "512x512_diffusion_uncond_finetune_008100"}, {"clip_models", {"ViT-B/32"}}});
  const MemoryEstimate whole = estimate(settings, plenty), least = estimate(settings, 1);
  EXPECT_EQ(least.plan, (MemoryPlan{1, false, false, true}));
  // The UNet has 553 million weights, ViT-B/32's image side 88 million; most of them in large layers.
  EXPECT_LT(least.peak + 2 * 500'000'000ull, whole.peak);
  const auto same = estimate_memory(settings, test_models(), 1, MemoryPlan{1});
  EXPECT_FALSE(estimate(settings, same.peak).plan.half_weights);
  EXPECT_TRUE(estimate(settings, same.peak - 1).plan.half_weights);
}

TEST(Memory, TheSecondaryModelIsOfferedOnlyWhereItFits) {
  const auto drawn_by = [](std::int64_t side, bool secondary) {
    return settings_of({{"diffusion_model", "512x512_diffusion_uncond_finetune_008100"},
                        {"clip_models", {"ViT-B/32"}},
                        {"width", side},
                        {"height", side},
                        {"use_secondary_model", secondary}});
  };
  // Sizes down to a quarter are tried.
  const std::uint64_t with = estimate(drawn_by(512, true), 1).peak, without = estimate(drawn_by(512, false), 1).peak;
  ASSERT_LT(with, without);
  const auto offered = [&](std::uint64_t limit) { return estimate(drawn_by(2048, false), limit).suggestion; };
  EXPECT_THAT(offered((with + without) / 2), testing::EndsWith("pixels with use_secondary_model true would fit"));
  EXPECT_THAT(offered(without * 2), testing::EndsWith("pixels would fit"));
  EXPECT_EQ(offered(with / 2), "use fewer or smaller models, or allow more memory");
}

TEST(Memory, GrowsWithSizeCutsAndModels) {
  const auto peak = [](nlohmann::ordered_json values) { return estimate(settings_of(std::move(values)), plenty).peak; };
  EXPECT_GT(peak({{"width", 256}, {"height", 256}}), peak({{"width", 128}, {"height", 128}}));
  EXPECT_GT(peak({{"cut_innercut", "[40]*1000"}}), peak({}));
  EXPECT_GT(peak({{"clip_models", {"ref-vit32", "ref-vit16"}}}), peak({}));
  EXPECT_GT(peak({{"perlin_init", true}, {"init_scale", 1000}}), peak({{"perlin_init", true}, {"init_scale", 0}}));
}

TEST(Memory, CountsTheFiltersThatSmallNetworksKeep) {
  UNetConfig config;
  config.image_size = 64;
  config.num_channels = 64;
  config.num_res_blocks = 1;
  config.channel_mult = {1, 2};
  const double small = kept_forms_memory(config, 16, 16, false), once = kept_forms_memory(config, 64, 64, false);
  EXPECT_GT(small, 0);
  EXPECT_GT(once, small) << "Winograd's filters, where there are more tiles";
  EXPECT_EQ(kept_forms_memory(config, 64, 64, true), 2 * once) << "the adjoint's as well";
  // In layers of 64 channels each way in Winograd's form.
  config.channel_mult = {1};
  const double values = kept_forms_memory(config, 64, 64, false) / 4;
  // Two of each block (one down, two in the middle, two up), and once more of the joined inputs, which have 1×1
  // convolutions beside; the attention in the middle; the first and the last layer, in panels of 32 columns.
  EXPECT_EQ(values, 12 * 36 * 64 * 64 + 2 * 128 * 64 + 4 * 64 * 64 + 2 * 9 * 32 * 64);
  choose_kernels(Kernels::plain);
  EXPECT_EQ(kept_forms_memory(config, 64, 64, false), 0);
  choose_kernels(Kernels::fast);
  config.num_channels = 256;
  config.num_res_blocks = 2;
  config.channel_mult = {.5, 1, 1, 2, 2, 4, 4};
  EXPECT_EQ(kept_forms_memory(config, 64, 64, true), 0) << "a network of the community's size";
}

TEST(Memory, KnowsTheShapesOfPublishedModels) {
  Settings settings = settings_of({{"width", 960},
                                   {"height", 768},
                                   {"use_secondary_model", false},
                                   {"diffusion_model", "512x512_diffusion_uncond_finetune_008100"},
                                   {"clip_models", {"ViT-B/32", "ViT-B/16", "ViT-L/14", "RN101", "RN50x4"}}});
  const std::uint64_t gib = std::uint64_t{1} << 30;
  const MemoryEstimate planned = estimate(settings, 16 * gib);
  EXPECT_TRUE(planned.fits()) << planned.peak;
  EXPECT_GT(planned.unplanned_peak, 16 * gib);
  EXPECT_TRUE(planned.plan.recompute);
  settings.diffusion_model = "nobody-knows-it";
  EXPECT_THROW(estimate(settings, 16 * gib), RequestError);
}

/// Peaks that CUDA's allocator had reserved after steps on an H100 (published shapes, random weights, 16 cuts a batch).
struct OnGpu {
  const char* name;
  bool half, secondary, fast;
  int cuts_at_once;
  double measured_gib;
  double most = 1.1;  ///< Times what was measured.
};

Settings gpu_settings(bool secondary) {
  nlohmann::ordered_json values = {{"width", 1280},
                                   {"height", 768},
                                   {"cut_overview", "[12]*1000"},
                                   {"cut_innercut", "[4]*1000"},
                                   {"cutn_batches", 4},
                                   {"use_secondary_model", secondary},
                                   {"secondary_model", "secondary_model_imagenet_2"},
                                   {"diffusion_model", "512x512_diffusion_uncond_finetune_008100"},
                                   {"clip_models", {"ViT-B/32", "ViT-B/16", "RN50"}}};
  if (!secondary) values.update({{"width", 512}, {"height", 512}, {"cutn_batches", 2}, {"clip_models", {"ViT-B/32"}}});
  return settings_of(std::move(values));
}

MemoryOffer gpu_offer(std::uint64_t limit, bool half) {
  MemoryOffer offer(limit);
  offer.gpu = GpuMemory{plenty, plenty, 0};
  offer.half = half;
  return offer;
}

constexpr double gib = 1u << 30;

class MemoryOnGpu : public testing::TestWithParam<OnGpu> {};

TEST_P(MemoryOnGpu, IsAboutWhatWasMeasured) {
  const OnGpu& run = GetParam();
  choose_kernels(run.fast ? Kernels::fast : Kernels::plain);
  const MemoryEstimate found = estimate_memory(gpu_settings(run.secondary), test_models(), gpu_offer(plenty, run.half),
                                               MemoryPlan{run.cuts_at_once});
  choose_kernels(Kernels::fast);
  const double predicted = static_cast<double>(found.peak) / gib;
  std::printf("  %s: predicted %.2f GiB, measured %.2f\n", run.name, predicted, run.measured_gib);
  EXPECT_GT(predicted, run.measured_gib);
  EXPECT_LT(predicted, run.measured_gib * run.most);
}

TEST(Memory, APlanKeepsWhatWasMeasuredUnderTheLimit) {
  const auto planned = [](double limit) {
    return estimate_memory(gpu_settings(true), test_models(), gpu_offer(static_cast<std::uint64_t>(limit * gib), true));
  };
  EXPECT_EQ(planned(12).plan, MemoryPlan{});
  EXPECT_EQ(planned(9.5).plan.cuts_at_once, 32);  // All at once were seen to take 9.91 GiB.
  const MemoryEstimate tight = planned(8.5);
  EXPECT_TRUE(tight.fits());
  EXPECT_LT(tight.plan.cuts_at_once, 32);
  EXPECT_FALSE(planned(6).fits());
  EXPECT_FALSE(planned(6).suggestion.empty());
}

TEST(Memory, OnAGpuWeightsLeaveItBeforeThePictureChanges) {
  Settings settings = gpu_settings(false);
  settings.clip_models = {{"ViT-B/32", 1}, {"ViT-B/16", 1}, {"ViT-L/14", 1}, {"RN50x16", 1}};
  for (const bool half : {true, false}) {
    const MemoryEstimate least = estimate_memory(settings, test_models(), gpu_offer(1, half));
    EXPECT_TRUE(least.plan.weights_on_host);
    EXPECT_EQ(least.plan.half_weights, !half);
    const auto peak = [&](bool on_host) {
      return estimate_memory(settings, test_models(), gpu_offer(plenty, half), MemoryPlan{1, true, on_host}).peak;
    };
    // The three smaller ones' image sides: 88, 86 and 168 million weights.
    EXPECT_GT(peak(false), peak(true) + (half ? 600'000'000u : 1'200'000'000u));
    const MemoryEstimate between = estimate_memory(settings, test_models(), gpu_offer(peak(false) - 1, half));
    EXPECT_TRUE(between.plan.weights_on_host);
    EXPECT_FALSE(between.plan.half_weights);
    EXPECT_TRUE(between.fits());
  }
  settings.use_secondary_model = true;
  EXPECT_FALSE(estimate(settings, 1).plan.weights_on_host) << "on a processor there is nowhere else";
  const auto on_processor = [&](bool on_host) {
    return estimate_memory(settings, test_models(), plenty, MemoryPlan{1, false, on_host}).peak;
  };
  EXPECT_EQ(on_processor(true), on_processor(false)) << "also of a run that a GPU has begun";
}

INSTANTIATE_TEST_SUITE_P(Memory, MemoryOnGpu,
                         testing::Values(OnGpu{"half", true, true, true, 0, 9.91},
                                         OnGpu{"fewer_cuts", true, true, true, 32, 8.43},
                                         OnGpu{"plain", true, true, false, 0, 11.63},
                                         // cuDNN takes what it likes: on an H200 more was seen.
                                         OnGpu{"float32", false, true, true, 0, 19.70, 1.2},
                                         OnGpu{"primary", true, false, true, 0, 6.44},
                                         OnGpu{"primary_float32", false, false, true, 0, 13.19}),
                         [](const auto& made) { return made.param.name; });

TEST(Memory, TheTablesHaveACellForEveryColumn) {
  Settings settings = settings_of();
  const auto tables = memory_tables(settings, test_models(), plenty);
  ASSERT_EQ(tables.size(), 3u);
  for (const MemoryTable& table : tables) {
    EXPECT_FALSE(table.rows.empty());
    for (const MemoryTable::Row& row : table.rows) {
      ASSERT_EQ(row.cells.size(), table.columns.size()) << table.title << " " << row.name;
      for (const MemoryTable::Cell& cell : row.cells) EXPECT_LE(cell.planned, cell.unplanned);
    }
  }
}

TEST(Memory, ARunThatDoesNotFitIsRefusedBeforeItWritesAnything) {
  const TemporaryFolder out;
  EngineOptions options;
  options.model_folders = {golden::models_folder()};
  options.device = "cpu";
  options.memory_limit_gib = 0.1;
  const std::unique_ptr<Engine> engine(disco_create_engine(DISCO_VERSION, options));
  Recorder listener;
  EXPECT_THROW(engine->run(request_in(out.path(), quick_settings()), listener), MemoryError);
  EXPECT_TRUE(fs::is_empty(out.path()));
}

TEST(Memory, APlannedRunDrawsTheSamePicture) {
  const nlohmann::ordered_json values = {{"use_secondary_model", false}, {"cut_overview", "[12]*1000"}};
  const ResolvedSettings resolved = quick_settings(values);
  const auto draw = [&](double limit_gib, std::string& plan) {
    const TemporaryFolder out;
    EngineOptions options;
    options.model_folders = {golden::models_folder()};
    options.device = "cpu";
    options.threads = 1;
    options.memory_limit_gib = limit_gib;
    const std::unique_ptr<Engine> engine(disco_create_engine(DISCO_VERSION, options));
    Recorder listener;
    const fs::path picture = engine->run(request_in(out.path(), resolved), listener).pictures.at(0);
    plan = nlohmann::json::parse(read_file(fs::path(picture).replace_extension(".json"))).at("memory_plan");
    return read_file(picture);
  };
  std::string nothing, plan;
  const std::string picture = draw(1000, nothing);
  EXPECT_EQ(nothing, "");
  const std::uint64_t least = estimate_memory(resolved.settings, test_models(), 1, MemoryPlan{1, true}).peak + 2;
  EXPECT_EQ(draw(static_cast<double>(least) / gib, plan), picture);
  EXPECT_EQ(plan, plan_text(estimate(resolved.settings, least).plan));
  EXPECT_NE(plan, "");
}

}  // namespace
}  // namespace disco
