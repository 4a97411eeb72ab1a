// Styles made of pieces of one colour.
#include <algorithm>
#include <cmath>

#include "train/world/style_parts.h"

namespace disco {

void pixel_art(Raster& raster) {
  // Three pixels of the 64 that the pocket models draw, so that each cell is whole pixels there.
  constexpr int cell_side = 3, whole = 64, cells = (whole + cell_side - 1) / cell_side;
  constexpr std::size_t colour_count = 12;
  const int side = raster.side;
  const std::vector<Pixel> colours = few_colours(raster, colour_count);
  const Field<int> nearest = nearest_colours(raster, colours);
  const auto edge = [&](int cell) { return std::min(cell * cell_side * side / whole, side); };
  for (int j = 0; j < cells; ++j) {
    for (int i = 0; i < cells; ++i) {
      // The colour that fills most of the cell: means would blur the edges.
      std::array<int, colour_count> votes{};
      for (int y = edge(j); y < edge(j + 1); ++y) {
        for (int x = edge(i); x < edge(i + 1); ++x) ++votes[static_cast<std::size_t>(nearest.at(x, y))];
      }
      const Pixel colour =
          saturated(colours[static_cast<std::size_t>(std::ranges::max_element(votes) - votes.begin())], 1.2f);
      for (int y = edge(j); y < edge(j + 1); ++y) {
        for (int x = edge(i); x < edge(i + 1); ++x) raster.at(x, y) = colour;
      }
    }
  }
}

void poster(Raster& raster) {
  const int side = raster.side, frame = std::max(1, side / 20);
  const Raster soft = blurred(raster, std::max(1, side / 256));
  std::vector<Pixel> colours = few_colours(soft, 9);
  const Field<int> nearest = nearest_colours(soft, colours);
  // Printing inks: warm, strong, and none as white as the paper.
  for (Pixel& c : colours) {
    c = saturated(c, 1.3f, 0.02f);
    c = {std::clamp(c[0] * 1.0f + 0.02f, 0.0f, 1.0f), std::clamp(c[1] * 0.95f, 0.0f, 1.0f),
         std::clamp(c[2] * 0.84f + 0.02f, 0.0f, 1.0f)};
  }
  const Pixel paper{0.96f, 0.92f, 0.82f};
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const bool inside = std::min(std::min(x, side - 1 - x), std::min(y, side - 1 - y)) >= frame;
      raster.at(x, y) = inside ? colours[static_cast<std::size_t>(nearest.at(x, y))] : paper;
    }
  }
}

void stained_glass(Raster& raster, Dice& dice) {
  constexpr int cells = 14;
  const int side = raster.side;
  const float cell = static_cast<float>(side) / cells;
  struct Seed {
    float x, y;
    Pixel colour;
  };
  const Raster soft = blurred(raster, std::max(1, side / 100));
  std::vector<Seed> seeds;
  for (int j = 0; j < cells; ++j) {
    for (int i = 0; i < cells; ++i) {
      const float x = (static_cast<float>(i) + static_cast<float>(dice.uniform(0.15, 0.85))) * cell;
      const float y = (static_cast<float>(j) + static_cast<float>(dice.uniform(0.15, 0.85))) * cell;
      seeds.push_back({x, y, soft.near(static_cast<int>(x), static_cast<int>(y))});
    }
  }
  // Each pixel joins the seed near it in place and colour, so that the panes follow the shapes (Achanta et al. 2012).
  Field<int> pane(side);
  for (int round = 0; round < 2; ++round) {
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) {
        const int i = static_cast<int>(static_cast<float>(x) / cell),
                  j = static_cast<int>(static_cast<float>(y) / cell);
        float best = 1e9f;
        for (int b = std::max(0, j - 1); b <= std::min(cells - 1, j + 1); ++b) {
          for (int a = std::max(0, i - 1); a <= std::min(cells - 1, i + 1); ++a) {
            const Seed& s =
                seeds[static_cast<std::size_t>(b) * static_cast<std::size_t>(cells) + static_cast<std::size_t>(a)];
            const float dx = (static_cast<float>(x) - s.x) / cell, dy = (static_cast<float>(y) - s.y) / cell;
            const float d = dx * dx + dy * dy + 14 * squared_distance(soft.at(x, y), s.colour);
            if (d < best) best = d, pane.at(x, y) = b * cells + a;
          }
        }
      }
    }
    std::vector<Pixel> sums(seeds.size(), Pixel{});
    std::vector<std::array<float, 3>> places(seeds.size(), {0, 0, 0});
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) {
        const auto k = static_cast<std::size_t>(pane.at(x, y));
        for (std::size_t c = 0; c < 3; ++c) sums[k][c] += raster.at(x, y)[c];
        places[k][0] += static_cast<float>(x);
        places[k][1] += static_cast<float>(y);
        places[k][2] += 1;
      }
    }
    for (std::size_t k = 0; k < seeds.size(); ++k) {
      const float n = places[k][2];
      if (n > 0) seeds[k] = {places[k][0] / n, places[k][1] / n, {sums[k][0] / n, sums[k][1] / n, sums[k][2] / n}};
    }
  }
  std::vector<float> shine(seeds.size());
  for (float& s : shine) s = static_cast<float>(dice.uniform(-0.06, 0.08));
  // The lead: where a pane ends, widened; thinner between panes that are nearly alike, so that shapes stand out.
  Plane lead(side);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const int here = pane.at(x, y);
      for (const int other : {pane.near(x + 1, y), pane.near(x, y + 1)}) {
        if (other == here) continue;
        const Pixel &a = seeds[static_cast<std::size_t>(here)].colour,
                    &b = seeds[static_cast<std::size_t>(other)].colour;
        lead.at(x, y) = std::max(lead.at(x, y), 0.62f + 0.6f * step_between(0.01f, 0.2f, squared_distance(a, b)));
      }
    }
  }
  const int reach = std::max(1, side / 100);
  lead = blurred(lead, reach);
  const float thick = 0.45f / static_cast<float>(2 * reach + 1);
  const Pixel black{0.06f, 0.055f, 0.07f};
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const auto k = static_cast<std::size_t>(pane.at(x, y));
      const float slant = 0.06f * (static_cast<float>(x) - seeds[k].x + seeds[k].y - static_cast<float>(y)) / cell;
      Pixel glass = saturated(blend(seeds[k].colour, raster.at(x, y), 0.12f), 1.55f, 0.07f + shine[k] + slant);
      raster.at(x, y) = blend(glass, black, step_between(thick * 0.9f, thick * 1.5f, lead.at(x, y)));
    }
  }
}

namespace {

struct Corner {
  float x, y;
};

/// Calls visit(x, y) for every pixel whose middle lies in the triangle.
template <typename Visit>
void each_pixel(int side, const Corner& a, const Corner& b, const Corner& c, const Visit& visit) {
  const auto edge = [](const Corner& p, const Corner& q, float x, float y) {
    return (q.x - p.x) * (y - p.y) - (q.y - p.y) * (x - p.x);
  };
  const auto clamped = [&](float v) { return std::clamp(static_cast<int>(v), 0, side - 1); };
  const int left = clamped(std::min({a.x, b.x, c.x})), right = clamped(std::max({a.x, b.x, c.x}));
  const int top = clamped(std::min({a.y, b.y, c.y})), bottom = clamped(std::max({a.y, b.y, c.y}));
  for (int y = top; y <= bottom; ++y) {
    for (int x = left; x <= right; ++x) {
      const float u = static_cast<float>(x) + 0.5f, v = static_cast<float>(y) + 0.5f;
      const float d = edge(a, b, u, v), e = edge(b, c, u, v), f = edge(c, a, u, v);
      if ((d >= 0 && e >= 0 && f >= 0) || (d <= 0 && e <= 0 && f <= 0)) visit(x, y);
    }
  }
}

}  // namespace

void low_poly(Raster& raster, Dice& dice) {
  constexpr int cells = 14;
  const int side = raster.side;
  const float cell = static_cast<float>(side) / cells;
  const Plane sharp = blurred(edges(blurred(raster, std::max(1, side / 128))), std::max(1, side / 128));
  // Corners move to the sharpest edge around them, but never so far that a triangle turns over.
  std::vector<Corner> corners;
  for (int j = 0; j <= cells; ++j) {
    for (int i = 0; i <= cells; ++i) {
      Corner best{static_cast<float>(i) * cell, static_cast<float>(j) * cell};
      if (i > 0 && j > 0 && i < cells && j < cells) {
        const Corner middle = best;
        float most = -1;
        for (int trial = 0; trial < 40; ++trial) {
          const Corner there{middle.x + cell * static_cast<float>(dice.uniform(-0.46, 0.46)),
                             middle.y + cell * static_cast<float>(dice.uniform(-0.46, 0.46))};
          const float value = sharp.near(static_cast<int>(there.x), static_cast<int>(there.y)) +
                              0.01f * static_cast<float>(dice.uniform());
          if (value > most) most = value, best = there;
        }
      }
      corners.push_back(best);
    }
  }
  const auto corner = [&](int i, int j) {
    return corners[static_cast<std::size_t>(j) * static_cast<std::size_t>(cells + 1) + static_cast<std::size_t>(i)];
  };
  struct Facet {
    Pixel mean{};
    float spread = 0;
  };
  const auto facet = [&](const Corner& a, const Corner& b, const Corner& c) {
    Facet result;
    float n = 0, squares = 0;
    each_pixel(side, a, b, c, [&](int x, int y) {
      const Pixel& p = raster.at(x, y);
      for (std::size_t k = 0; k < 3; ++k) result.mean[k] += p[k];
      squares += squared_distance(p, {});
      n += 1;
    });
    for (float& m : result.mean) m /= std::max(n, 1.0f);
    result.spread = squares - n * squared_distance(result.mean, {});
    return result;
  };
  Raster canvas = raster;
  const auto fill = [&](const Corner& a, const Corner& b, const Corner& c, const Facet& f) {
    const Pixel colour = saturated(f.mean, 1.2f, static_cast<float>(dice.uniform(-0.075, 0.075)));
    each_pixel(side, a, b, c, [&](int x, int y) { canvas.at(x, y) = colour; });
  };
  for (int j = 0; j < cells; ++j) {
    for (int i = 0; i < cells; ++i) {
      const Corner a = corner(i, j), b = corner(i + 1, j), c = corner(i + 1, j + 1), d = corner(i, j + 1);
      const Facet down[] = {facet(a, b, c), facet(a, c, d)}, up[] = {facet(a, b, d), facet(b, c, d)};
      // The diagonal that leaves the more even halves.
      if (down[0].spread + down[1].spread < up[0].spread + up[1].spread) {
        fill(a, b, c, down[0]), fill(a, c, d, down[1]);
      } else {
        fill(a, b, d, up[0]), fill(b, c, d, up[1]);
      }
    }
  }
  raster = std::move(canvas);
}

}  // namespace disco
