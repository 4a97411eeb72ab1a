// Subjects are drawn in a frame of their own: the foot (or, in the air, the lowest point) at (0, 0), the top at about
// y = −1, x to both sides.
#pragma once

#include "train/world/dice.h"
#include "train/world/light.h"

namespace disco {

/// Draws the parts of one subject, lit from the side of the sun.
class Brush {
 public:
  Brush(Canvas& canvas_, const Scene& scene, const Light& light);

  Canvas& canvas;
  bool lamps;

  /// A surface in the scene's light.
  Colour operator()(unsigned hex) const { return lit(rgb(hex), light_); }
  /// A surface of the subject's own colour, which a tint replaces; how bright it is stays.
  Colour body(unsigned hex) const;
  Colour window() const { return lamps ? rgb(0xffd95e) : lit(rgb(0x34465f), light_); }

  /// Fills the path that lies between x = left and right, round: bright towards the sun and dark away from it.
  void round(double left, double right, Colour colour);
  void box(double x, double y, double width, double height, Colour colour);
  void shape(std::initializer_list<Point> points, Colour colour);
  void oval(double x, double y, double rx, double ry, Colour colour);
  void curves(std::initializer_list<Point> points, Colour colour);

 private:
  Colour light_;
  Tint tint_;
  bool sun_left_;
};

void lighthouse(Brush& brush);
void castle(Brush& brush);
void windmill(Brush& brush, Dice& dice);
void house(Brush& brush);
void tower(Brush& brush);
void bridge(Brush& brush);
void pyramid(Brush& brush);

void tree(Brush& brush, Dice& dice);
void mushroom(Brush& brush);
void flower(Brush& brush);
void whale(Brush& brush);
void bird(Brush& brush);
void cat(Brush& brush);
void fish(Brush& brush);
void butterfly(Brush& brush);
void dragon(Brush& brush);

void ship(Brush& brush);
void balloon(Brush& brush);
void planet(Brush& brush);
void rocket(Brush& brush);

}  // namespace disco
